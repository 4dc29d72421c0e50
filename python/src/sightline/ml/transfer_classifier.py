"""The estimator that fine-tunes a network on labelled images."""

from __future__ import annotations

from typing import Any, Self, Unpack

from pyspark.ml.param.shared import HasInputCol, HasLabelCol, HasOutputCol, HasSeed
from pyspark.ml.wrapper import JavaEstimator, JavaModel, JavaParams
from pyspark.sql import DataFrame

from sightline.ml.params import HasDecoder, HasModel, HasRowErrors, HasTopK
from sightline.ml.stage import MODEL_DEFAULTS, Stage
from sightline.ml.transfer_network import NETWORK_DEFAULTS, HasNetwork, NetworkParams
from sightline.ml.transfer_run import RUN_DEFAULTS, HasRun, RunParams

_PACKAGE = "sightline.ml"
_IMAGES = {"inputCol": "content", "outputCol": "prediction", "topK": 5}
_ROWS = {"labelCol": "label", "handleInvalid": "keep", "errorCol": "error"}


class TransferParams(NetworkParams, RunParams, total=False):
    """Keyword arguments of `TransferClassifier`."""

    inputCol: str
    labelCol: str
    outputCol: str
    topK: int
    handleInvalid: str
    errorCol: str
    seed: int


class TransferClassifierModel(
    Stage, JavaModel, HasModel, HasDecoder, HasInputCol, HasOutputCol, HasTopK
):
    """A fitted `TransferClassifier`: it predicts as `ImagePredictor`."""

    __module__ = _PACKAGE

    def __init__(self, java_model: Any = None) -> None:  # noqa: ANN401 - from py4j
        super().__init__(java_model)
        # PySpark copies no defaults of a stage of the jar, and has others for the columns.
        self._setDefault(**MODEL_DEFAULTS, **_IMAGES, decoder="fast")

    @property
    def run(self) -> str:
        """Folder of the training run, with its samples, checkpoints, bundle and evaluation."""
        return str(self._call_java("run"))

    def setInputCol(self, value: str) -> Self:
        """Set the column with the images."""
        return self._set(inputCol=value)

    def setOutputCol(self, value: str) -> Self:
        """Set the new column."""
        return self._set(outputCol=value)


class TransferClassifier(
    Stage,
    JavaEstimator[TransferClassifierModel],
    HasNetwork,
    HasRun,
    HasInputCol,
    HasLabelCol,
    HasOutputCol,
    HasTopK,
    HasRowErrors,
    HasSeed,
):
    """Fine-tunes a network on labelled images, as the command ``train``.

    `inputCol` is a column of encoded images (BINARY), `labelCol` has texts or numbers. Each fit has
    a folder of its own in `output`.

    Example::

        images = spark.read.format("sightline").option("labels", "folder").load("flowers")
        classifier = TransferClassifier(output="runs", architecture="mobilenet_v2", epochs=5)
        classifier.fit(images).transform(others).select("path", "prediction.label")
    """

    __module__ = _PACKAGE

    def __init__(self, **params: Unpack[TransferParams]) -> None:
        super().__init__()
        self._open({**NETWORK_DEFAULTS, **RUN_DEFAULTS, **_IMAGES, **_ROWS, "seed": 0}, params)

    def _fit(self, dataset: DataFrame) -> TransferClassifierModel:
        # PySpark would copy `device` and `precision`, which are those of the training here.
        return self._create_model(self._fit_java(dataset))

    def _create_model(self, java_model: Any) -> TransferClassifierModel:  # noqa: ANN401 - from py4j
        model: TransferClassifierModel = JavaParams._from_java(java_model)
        return model

    def setInputCol(self, value: str) -> Self:
        """Set the column with the images."""
        return self._set(inputCol=value)

    def setLabelCol(self, value: str) -> Self:
        """Set the column with the labels."""
        return self._set(labelCol=value)

    def setOutputCol(self, value: str) -> Self:
        """Set the new column of the fitted model."""
        return self._set(outputCol=value)

    def setSeed(self, value: int) -> Self:
        """Set the seed of the split, the order of the samples and the new head."""
        return self._set(seed=value)
