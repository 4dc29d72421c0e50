"""Params of `TransferClassifier` for the network and its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypedDict

from pyspark.ml.param import Params, TypeConverters

from sightline.ml.params import declare

NETWORK_DEFAULTS: Mapping[str, Any] = {
    "architecture": "resnet50",
    "architectureArguments": "{}",
    "weights": "DEFAULT",
    "imageSize": 224,
    "freeze": "none",
    "batchNorm": "update",
    "epochs": 10,
    "batchSize": 64,
    "optimizer": "adam",
    "learningRate": 0.001,
    "weightDecay": 0.0,
    "momentum": 0.9,
    "labelSmoothing": 0.0,
    "scheduler": "constant",
    "warmupEpochs": 0,
    "augment": "none",
    "precision": "fp32",
}


class NetworkParams(TypedDict, total=False):
    """Keyword arguments for the network. `HasNetwork` documents them."""

    architecture: str
    architectureArguments: str
    weights: str
    imageSize: int
    mean: Sequence[float]
    std: Sequence[float]
    freeze: str
    batchNorm: str
    epochs: int
    batchSize: int
    optimizer: str
    learningRate: float
    weightDecay: float
    momentum: float
    labelSmoothing: float
    scheduler: str
    warmupEpochs: int
    augment: str
    precision: str


class HasNetwork(Params):
    """The network and its training."""

    architecture = declare(
        "architecture",
        "a classifier of torchvision or timm, or package.module:function",
        TypeConverters.toString,
    )
    architectureArguments = declare(
        "architectureArguments",
        "keyword arguments of the architecture, a JSON object",
        TypeConverters.toString,
    )
    weights = declare(
        "weights",
        "start weights: a file, a name of torchvision's, or none",
        TypeConverters.toString,
    )
    imageSize = declare(
        "imageSize",
        "height and width of the network's input in pixels (>= 1)",
        TypeConverters.toInt,
    )
    mean = declare(
        "mean",
        "mean of each of the three colours, 0 to 1; not set: that of the weights",
        TypeConverters.toListFloat,
    )
    std = declare(
        "std",
        "standard deviation of each colour, 0 to 1; not set: that of the weights",
        TypeConverters.toListFloat,
    )
    freeze = declare(
        "freeze",
        "none, all-but-head, or N: the first N layers with weights keep them",
        TypeConverters.toString,
    )
    batchNorm = declare(
        "batchNorm",
        "update the statistics of batch normalisation, or keep those of the start weights",
        TypeConverters.toString,
    )
    epochs = declare("epochs", "passes over the training part (>= 1)", TypeConverters.toInt)
    batchSize = declare(
        "batchSize", "images of one step of all workers together (>= 1)", TypeConverters.toInt
    )
    optimizer = declare("optimizer", "adam, adamw or sgd", TypeConverters.toString)
    learningRate = declare("learningRate", "learning rate (> 0)", TypeConverters.toFloat)
    weightDecay = declare("weightDecay", "weight decay (>= 0)", TypeConverters.toFloat)
    momentum = declare("momentum", "momentum of sgd (>= 0, < 1)", TypeConverters.toFloat)
    labelSmoothing = declare(
        "labelSmoothing", "label smoothing of the cross-entropy (>= 0, < 1)", TypeConverters.toFloat
    )
    scheduler = declare(
        "scheduler",
        "learning rate over the steps: constant, cosine or step",
        TypeConverters.toString,
    )
    warmupEpochs = declare(
        "warmupEpochs", "epochs in which the learning rate rises (>= 0)", TypeConverters.toInt
    )
    augment = declare("augment", "augmentation: none, flip or crop", TypeConverters.toString)
    precision = declare(
        "precision", "precision of the training: fp32, bf16 or fp16", TypeConverters.toString
    )

    def setArchitecture(self, value: str) -> Self:
        """Set `architecture`."""
        return self._set(architecture=value)

    def getArchitecture(self) -> str:
        """Return the value of `architecture`."""
        return self.getOrDefault(self.architecture)

    def setArchitectureArguments(self, value: str) -> Self:
        """Set `architectureArguments`."""
        return self._set(architectureArguments=value)

    def getArchitectureArguments(self) -> str:
        """Return the value of `architectureArguments`."""
        return self.getOrDefault(self.architectureArguments)

    def setWeights(self, value: str) -> Self:
        """Set `weights`."""
        return self._set(weights=value)

    def getWeights(self) -> str:
        """Return the value of `weights`."""
        return self.getOrDefault(self.weights)

    def setImageSize(self, value: int) -> Self:
        """Set `imageSize`."""
        return self._set(imageSize=value)

    def getImageSize(self) -> int:
        """Return the value of `imageSize`."""
        return self.getOrDefault(self.imageSize)

    def setMean(self, value: Sequence[float]) -> Self:
        """Set `mean`."""
        return self._set(mean=list(value))

    def getMean(self) -> list[float]:
        """Return the value of `mean`."""
        return self.getOrDefault(self.mean)

    def setStd(self, value: Sequence[float]) -> Self:
        """Set `std`."""
        return self._set(std=list(value))

    def getStd(self) -> list[float]:
        """Return the value of `std`."""
        return self.getOrDefault(self.std)

    def setFreeze(self, value: str) -> Self:
        """Set `freeze`."""
        return self._set(freeze=value)

    def getFreeze(self) -> str:
        """Return the value of `freeze`."""
        return self.getOrDefault(self.freeze)

    def setBatchNorm(self, value: str) -> Self:
        """Set `batchNorm`."""
        return self._set(batchNorm=value)

    def getBatchNorm(self) -> str:
        """Return the value of `batchNorm`."""
        return self.getOrDefault(self.batchNorm)

    def setEpochs(self, value: int) -> Self:
        """Set `epochs`."""
        return self._set(epochs=value)

    def getEpochs(self) -> int:
        """Return the value of `epochs`."""
        return self.getOrDefault(self.epochs)

    def setBatchSize(self, value: int) -> Self:
        """Set `batchSize`."""
        return self._set(batchSize=value)

    def getBatchSize(self) -> int:
        """Return the value of `batchSize`."""
        return self.getOrDefault(self.batchSize)

    def setOptimizer(self, value: str) -> Self:
        """Set `optimizer`."""
        return self._set(optimizer=value)

    def getOptimizer(self) -> str:
        """Return the value of `optimizer`."""
        return self.getOrDefault(self.optimizer)

    def setLearningRate(self, value: float) -> Self:
        """Set `learningRate`."""
        return self._set(learningRate=value)

    def getLearningRate(self) -> float:
        """Return the value of `learningRate`."""
        return self.getOrDefault(self.learningRate)

    def setWeightDecay(self, value: float) -> Self:
        """Set `weightDecay`."""
        return self._set(weightDecay=value)

    def getWeightDecay(self) -> float:
        """Return the value of `weightDecay`."""
        return self.getOrDefault(self.weightDecay)

    def setMomentum(self, value: float) -> Self:
        """Set `momentum`."""
        return self._set(momentum=value)

    def getMomentum(self) -> float:
        """Return the value of `momentum`."""
        return self.getOrDefault(self.momentum)

    def setLabelSmoothing(self, value: float) -> Self:
        """Set `labelSmoothing`."""
        return self._set(labelSmoothing=value)

    def getLabelSmoothing(self) -> float:
        """Return the value of `labelSmoothing`."""
        return self.getOrDefault(self.labelSmoothing)

    def setScheduler(self, value: str) -> Self:
        """Set `scheduler`."""
        return self._set(scheduler=value)

    def getScheduler(self) -> str:
        """Return the value of `scheduler`."""
        return self.getOrDefault(self.scheduler)

    def setWarmupEpochs(self, value: int) -> Self:
        """Set `warmupEpochs`."""
        return self._set(warmupEpochs=value)

    def getWarmupEpochs(self) -> int:
        """Return the value of `warmupEpochs`."""
        return self.getOrDefault(self.warmupEpochs)

    def setAugment(self, value: str) -> Self:
        """Set `augment`."""
        return self._set(augment=value)

    def getAugment(self) -> str:
        """Return the value of `augment`."""
        return self.getOrDefault(self.augment)

    def setPrecision(self, value: str) -> Self:
        """Set `precision`."""
        return self._set(precision=value)

    def getPrecision(self) -> str:
        """Return the value of `precision`."""
        return self.getOrDefault(self.precision)
