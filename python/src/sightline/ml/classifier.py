"""The estimator of an image classifier on the features of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, Unpack

from pyspark.ml.param import Params, TypeConverters
from pyspark.ml.param.shared import (
    HasInputCol,
    HasLabelCol,
    HasMaxIter,
    HasPredictionCol,
    HasProbabilityCol,
    HasRegParam,
    HasSeed,
)
from pyspark.ml.wrapper import JavaEstimator, JavaModel

from sightline.ml.params import HasDecoder, HasModel, declare
from sightline.ml.stage import MODEL_DEFAULTS, ModelParams, Stage

_PACKAGE = "sightline.ml"


class ClassifierParams(ModelParams, total=False):
    """Keyword arguments of `ImageClassifier`."""

    decoder: str
    inputCol: str
    labelCol: str
    predictionCol: str
    predictedLabelCol: str
    probabilityCol: str
    head: str
    hiddenLayers: Sequence[int]
    regParam: float
    maxIter: int
    seed: int


class _Classifier(
    HasModel,
    HasDecoder,
    HasInputCol,
    HasLabelCol,
    HasPredictionCol,
    HasProbabilityCol,
    HasRegParam,
    HasMaxIter,
    HasSeed,
    Params,
):
    """The Params of the estimator and of its model."""

    predictedLabelCol = declare(
        "predictedLabelCol", "new column with the predicted label", TypeConverters.toString
    )
    head = declare("head", "classifier on the features: logistic or mlp", TypeConverters.toString)
    hiddenLayers = declare(
        "hiddenLayers", "neurons of each hidden layer, if head is mlp", TypeConverters.toListInt
    )

    def getPredictedLabelCol(self) -> str:
        """Return the value of `predictedLabelCol`."""
        return self.getOrDefault(self.predictedLabelCol)

    def getHead(self) -> str:
        """Return the value of `head`."""
        return self.getOrDefault(self.head)

    def getHiddenLayers(self) -> list[int]:
        """Return the value of `hiddenLayers`."""
        return self.getOrDefault(self.hiddenLayers)


class ImageClassifier(Stage, JavaEstimator["ImageClassifierModel"], _Classifier):
    """Fits a classifier of images: the features of a model, then logistic regression or an MLP.

    Labels are texts or numbers. Rows with an error are not used for the fit.

    Example::

        fitted = ImageClassifier(model="efficientnet_lite0", labelCol="label").fit(images)
        fitted.transform(others).select("path", "predicted_label", "probability")
    """

    __module__ = _PACKAGE

    def __init__(self, **params: Unpack[ClassifierParams]) -> None:
        super().__init__()
        defaults = {
            **MODEL_DEFAULTS,
            "decoder": "fast",
            "inputCol": "content",
            "labelCol": "label",
            "predictionCol": "prediction",
            "predictedLabelCol": "predicted_label",
            "probabilityCol": "probability",
            "head": "logistic",
            "hiddenLayers": [64],
            "regParam": 0.0,
            "maxIter": 100,
        }
        self._open(defaults, params)

    def _create_model(self, java_model: Any) -> ImageClassifierModel:  # noqa: ANN401 - from py4j
        return ImageClassifierModel(java_model)

    def setInputCol(self, value: str) -> Self:
        """Set the column with the images."""
        return self._set(inputCol=value)

    def setLabelCol(self, value: str) -> Self:
        """Set the column with the labels."""
        return self._set(labelCol=value)

    def setPredictionCol(self, value: str) -> Self:
        """Set the new column with the number of the predicted label."""
        return self._set(predictionCol=value)

    def setPredictedLabelCol(self, value: str) -> Self:
        """Set `predictedLabelCol`."""
        return self._set(predictedLabelCol=value)

    def setProbabilityCol(self, value: str) -> Self:
        """Set the new column with the probability of each label."""
        return self._set(probabilityCol=value)

    def setHead(self, value: str) -> Self:
        """Set `head`."""
        return self._set(head=value)

    def setHiddenLayers(self, value: Sequence[int]) -> Self:
        """Set `hiddenLayers`."""
        return self._set(hiddenLayers=list(value))

    def setRegParam(self, value: float) -> Self:
        """Set the strength of the regularisation, at least 0."""
        return self._set(regParam=value)

    def setMaxIter(self, value: int) -> Self:
        """Set the largest number of iterations, at least 0."""
        return self._set(maxIter=value)

    def setSeed(self, value: int) -> Self:
        """Set the seed of the MLP's first weights."""
        return self._set(seed=value)


class ImageClassifierModel(Stage, JavaModel, _Classifier):
    """A fitted `ImageClassifier`."""

    __module__ = _PACKAGE

    @property
    def labels(self) -> list[str]:
        """Label of each class, in the order of `probability` and of the numbers in `prediction`."""
        return list(self._call_java("labels"))
