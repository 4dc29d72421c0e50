"""The stages for images: features, predictions, and files named by a column."""

from __future__ import annotations

from typing import Self, Unpack

from pyspark.ml.param import TypeConverters
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.wrapper import JavaTransformer

from sightline.ml.params import HasDecoder, HasModel, HasTopK, declare
from sightline.ml.stage import MODEL_DEFAULTS, ModelParams, Stage

_PACKAGE = "sightline.ml"


class ImageParams(ModelParams, total=False):
    """Keyword arguments of the stages for images."""

    decoder: str
    inputCol: str
    outputCol: str


class ImageStage(Stage, JavaTransformer, HasModel, HasDecoder, HasInputCol, HasOutputCol):
    """What the stages for images have in common."""

    __module__ = _PACKAGE

    def setInputCol(self, value: str) -> Self:
        """Set the column with the images."""
        return self._set(inputCol=value)

    def setOutputCol(self, value: str) -> Self:
        """Set the new column."""
        return self._set(outputCol=value)


_IMAGES = {**MODEL_DEFAULTS, "decoder": "fast", "inputCol": "content"}


class FeaturizerParams(ImageParams, total=False):
    """Keyword arguments of `ImageFeaturizer`."""

    output: str


class ImageFeaturizer(ImageStage):
    """Adds the features of images as an ML vector, the input of Spark's own estimators.

    `inputCol` is a column of encoded images (BINARY), or an image struct of
    `spark.read.format("image")`. If the table has the column `error` of Sightline's image source,
    the errors of unreadable files are used.

    Example::

        featurizer = ImageFeaturizer(model="efficientnet_lite0", handleInvalid="skip")
        pipeline = Pipeline(stages=[featurizer, LogisticRegression()])
    """

    __module__ = _PACKAGE

    output = declare(
        "output",
        "output of the model with a vector head; default: the first one",
        TypeConverters.toString,
    )

    def __init__(self, **params: Unpack[FeaturizerParams]) -> None:
        super().__init__()
        self._open({**_IMAGES, "outputCol": "features"}, params)

    def setOutput(self, value: str) -> Self:
        """Set `output`."""
        return self._set(output=value)

    def getOutput(self) -> str:
        """Return the value of `output`."""
        return self.getOrDefault(self.output)


class PredictorParams(ImageParams, total=False):
    """Keyword arguments of `ImagePredictor`."""

    topK: int


class ImagePredictor(ImageStage, HasTopK):
    """Adds a model's prediction: struct<label, class_id, score, top_k>.

    See `ImageFeaturizer` for the types of `inputCol`.
    """

    __module__ = _PACKAGE

    def __init__(self, **params: Unpack[PredictorParams]) -> None:
        super().__init__()
        self._open({**_IMAGES, "outputCol": "prediction", "topK": 5}, params)


class FileParams(ImageParams, total=False):
    """Keyword arguments of `ImageFileTransformer`."""

    topK: int
    result: str


class ImageFileTransformer(ImageStage, HasTopK):
    """Adds a model's result for the image file that a column names by its path or URI."""

    __module__ = _PACKAGE

    result = declare(
        "result", "result of the model: features, prediction or tensors", TypeConverters.toString
    )

    def __init__(self, **params: Unpack[FileParams]) -> None:
        super().__init__()
        defaults = {"inputCol": "path", "outputCol": "output", "result": "features", "topK": 5}
        self._open({**_IMAGES, **defaults}, params)

    def setResult(self, value: str) -> Self:
        """Set `result`."""
        return self._set(result=value)

    def getResult(self) -> str:
        """Return the value of `result`."""
        return self.getOrDefault(self.result)
