"""Params that several stages have. Names and defaults equal those of the Scala stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from pyspark.ml.param import Param, Params, TypeConverters

T = TypeVar("T")


def declare(name: str, doc: str, converter: Callable[[object], T]) -> Param[T]:
    """Declare a Param in the body of a stage class.

    Args:
        name: Its name, which is also the name of the class attribute.
        doc: Its description for `explainParams`.
        converter: One of PySpark's `TypeConverters`.
    """
    return Param(Params._dummy(), name, doc, typeConverter=converter)


class HasRowErrors(Params):
    """What happens to rows without a result."""

    handleInvalid = declare(
        "handleInvalid",
        "rows without a result: keep (with an error), skip or error (stop)",
        TypeConverters.toString,
    )
    errorCol = declare(
        "errorCol",
        "column with the errors of rows, if handleInvalid is keep",
        TypeConverters.toString,
    )

    def setHandleInvalid(self, value: str) -> Self:
        """Set `handleInvalid`."""
        return self._set(handleInvalid=value)

    def getHandleInvalid(self) -> str:
        """Return the value of `handleInvalid`."""
        return self.getOrDefault(self.handleInvalid)

    def setErrorCol(self, value: str) -> Self:
        """Set `errorCol`."""
        return self._set(errorCol=value)

    def getErrorCol(self) -> str:
        """Return the value of `errorCol`."""
        return self.getOrDefault(self.errorCol)


class HasModel(HasRowErrors):
    """The model of a stage, how it runs, and what happens to rows without a result."""

    model = declare(
        "model", "name, name@version, path or URI of the model", TypeConverters.toString
    )
    backend = declare(
        "backend",
        "backend that runs the model: onnx, openvino, pytorch or one of another package",
        TypeConverters.toString,
    )
    precision = declare(
        "precision",
        "fp32, bf16 or int8; the last two need a calibrated model",
        TypeConverters.toString,
    )
    device = declare("device", "auto, cpu or cuda", TypeConverters.toString)
    batchRows = declare(
        "batchRows",
        "rows that the model processes at once; 0: the number that was measured for the model",
        TypeConverters.toInt,
    )
    gpusPerTask = declare(
        "gpusPerTask",
        "part of a GPU that each task of the model takes, 0 to 1; 0: that of the application",
        TypeConverters.toFloat,
    )
    cpusPerTask = declare(
        "cpusPerTask",
        "cores that each task of the model takes; 0: those of the application",
        TypeConverters.toInt,
    )
    allowCode = declare(
        "allowCode",
        "whether the model may run Python code from any package; a saved stage does not keep it",
        TypeConverters.toBoolean,
    )
    modelSha256 = declare(
        "modelSha256",
        "SHA-256 that the model must have; saving or fitting a stage sets it",
        TypeConverters.toString,
    )
    modelCopy = declare(
        "modelCopy", "whether a saved stage contains a copy of the model", TypeConverters.toBoolean
    )

    def setModel(self, value: str) -> Self:
        """Set `model`, and allow any SHA-256 of it."""
        return self._set(model=value, modelSha256="")

    def getModel(self) -> str:
        """Return the value of `model`."""
        return self.getOrDefault(self.model)

    def setBackend(self, value: str) -> Self:
        """Set `backend`."""
        return self._set(backend=value)

    def getBackend(self) -> str:
        """Return the value of `backend`."""
        return self.getOrDefault(self.backend)

    def setPrecision(self, value: str) -> Self:
        """Set `precision`."""
        return self._set(precision=value)

    def getPrecision(self) -> str:
        """Return the value of `precision`."""
        return self.getOrDefault(self.precision)

    def setDevice(self, value: str) -> Self:
        """Set `device`."""
        return self._set(device=value)

    def getDevice(self) -> str:
        """Return the value of `device`."""
        return self.getOrDefault(self.device)

    def setBatchRows(self, value: int) -> Self:
        """Set `batchRows`."""
        return self._set(batchRows=value)

    def getBatchRows(self) -> int:
        """Return the value of `batchRows`."""
        return self.getOrDefault(self.batchRows)

    def setGpusPerTask(self, value: float) -> Self:
        """Set `gpusPerTask`."""
        return self._set(gpusPerTask=value)

    def getGpusPerTask(self) -> float:
        """Return the value of `gpusPerTask`."""
        return self.getOrDefault(self.gpusPerTask)

    def setCpusPerTask(self, value: int) -> Self:
        """Set `cpusPerTask`."""
        return self._set(cpusPerTask=value)

    def getCpusPerTask(self) -> int:
        """Return the value of `cpusPerTask`."""
        return self.getOrDefault(self.cpusPerTask)

    def setAllowCode(self, value: bool) -> Self:
        """Set `allowCode`."""
        return self._set(allowCode=value)

    def getAllowCode(self) -> bool:
        """Return the value of `allowCode`."""
        return self.getOrDefault(self.allowCode)

    def setModelSha256(self, value: str) -> Self:
        """Set `modelSha256`."""
        return self._set(modelSha256=value)

    def getModelSha256(self) -> str:
        """Return the value of `modelSha256`."""
        return self.getOrDefault(self.modelSha256)

    def setModelCopy(self, value: bool) -> Self:
        """Set `modelCopy`."""
        return self._set(modelCopy=value)

    def getModelCopy(self) -> bool:
        """Return the value of `modelCopy`."""
        return self.getOrDefault(self.modelCopy)


class HasDecoder(Params):
    """How images are decoded and resized."""

    decoder = declare(
        "decoder", "fast, or exact: decode and resize whole images", TypeConverters.toString
    )

    def setDecoder(self, value: str) -> Self:
        """Set `decoder`."""
        return self._set(decoder=value)

    def getDecoder(self) -> str:
        """Return the value of `decoder`."""
        return self.getOrDefault(self.decoder)


class HasTopK(Params):
    """The length of the list of the best classes."""

    topK = declare("topK", "labels in a prediction, at least 1", TypeConverters.toInt)

    def setTopK(self, value: int) -> Self:
        """Set `topK`."""
        return self._set(topK=value)

    def getTopK(self) -> int:
        """Return the value of `topK`."""
        return self.getOrDefault(self.topK)


class HasTensors(Params):
    """The columns of a model's input and output tensors."""

    inputTensors = declare(
        "inputTensors",
        "inputs of the model that inputCols fill, in the same order",
        TypeConverters.toListString,
    )
    outputTensors = declare(
        "outputTensors",
        "outputs of the model that outputCols receive, in the same order",
        TypeConverters.toListString,
    )
    vectors = declare(
        "vectors",
        "whether outputs with a vector head become ML vectors, not arrays",
        TypeConverters.toBoolean,
    )
    casts = declare(
        "casts",
        "exact: numbers that a tensor cannot represent are errors; lossy: they are cut",
        TypeConverters.toString,
    )

    def setInputTensors(self, value: Sequence[str]) -> Self:
        """Set `inputTensors`."""
        return self._set(inputTensors=list(value))

    def getInputTensors(self) -> list[str]:
        """Return the value of `inputTensors`."""
        return self.getOrDefault(self.inputTensors)

    def setOutputTensors(self, value: Sequence[str]) -> Self:
        """Set `outputTensors`."""
        return self._set(outputTensors=list(value))

    def getOutputTensors(self) -> list[str]:
        """Return the value of `outputTensors`."""
        return self.getOrDefault(self.outputTensors)

    def setVectors(self, value: bool) -> Self:
        """Set `vectors`."""
        return self._set(vectors=value)

    def getVectors(self) -> bool:
        """Return the value of `vectors`."""
        return self.getOrDefault(self.vectors)

    def setCasts(self, value: str) -> Self:
        """Set `casts`."""
        return self._set(casts=value)

    def getCasts(self) -> str:
        """Return the value of `casts`."""
        return self.getOrDefault(self.casts)
