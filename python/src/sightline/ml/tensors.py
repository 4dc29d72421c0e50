"""The stage for models of any tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, Unpack

from pyspark.ml.param.shared import HasInputCols, HasOutputCols
from pyspark.ml.wrapper import JavaTransformer

from sightline.ml.params import HasModel, HasTensors
from sightline.ml.stage import MODEL_DEFAULTS, ModelParams, Stage


class TensorParams(ModelParams, total=False):
    """Keyword arguments of `TensorTransformer`."""

    inputCols: Sequence[str]
    inputTensors: Sequence[str]
    outputCols: Sequence[str]
    outputTensors: Sequence[str]
    vectors: bool
    casts: str


class TensorTransformer(Stage, JavaTransformer, HasModel, HasTensors, HasInputCols, HasOutputCols):
    """Runs a model on columns of numbers, arrays or ML vectors, and adds its outputs as columns.

    Without `inputCols`, each input of the model is the column with the input's name. Without
    `outputCols`, each output becomes a column with the output's name.

    Example::

        TensorTransformer(model="iris", inputCols=["measures"], outputCols=["scores"])
    """

    __module__ = "sightline.ml"

    def __init__(self, **params: Unpack[TensorParams]) -> None:
        super().__init__()
        self._open({**MODEL_DEFAULTS, "vectors": False, "casts": "exact"}, params)

    def setInputCols(self, value: Sequence[str]) -> Self:
        """Set the columns that fill the model's inputs."""
        return self._set(inputCols=list(value))

    def setOutputCols(self, value: Sequence[str]) -> Self:
        """Set the new columns."""
        return self._set(outputCols=list(value))
