"""The base of all stages: a PySpark object around a stage of the jar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypedDict

from pyspark.ml.param import Param, Params
from pyspark.ml.util import JavaMLReadable, JavaMLWritable
from pyspark.ml.wrapper import JavaParams, JavaWrapper
from pyspark.sql import SparkSession

from sightline.errors import WrongUseError

_PACKAGE = "sightline.ml"


class ModelParams(TypedDict, total=False):
    """Keyword arguments that every stage takes. `HasModel` documents them."""

    model: str
    backend: str
    precision: str
    device: str
    batchRows: int
    gpusPerTask: float
    cpusPerTask: int
    allowCode: bool
    handleInvalid: str
    errorCol: str
    modelSha256: str
    modelCopy: bool


MODEL_DEFAULTS: Mapping[str, Any] = {
    "backend": "onnx",
    "precision": "fp32",
    "device": "auto",
    "batchRows": 0,
    "gpusPerTask": 0.0,
    "cpusPerTask": 0,
    "allowCode": False,
    "handleInvalid": "keep",
    "errorCol": "error",
    "modelSha256": "",
    "modelCopy": True,
}


class Stage(JavaParams, JavaMLReadable[Any], JavaMLWritable):
    """A stage whose work is done by the stage of the same name in the jar."""

    # Spark finds the Python class of a saved stage by the name of its Scala class.
    __module__ = _PACKAGE

    def _open(self, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Create the stage of the jar and set the Params.

        Raises:
            WrongUseError: MISSING_JAR if there is no Spark session with Sightline's jar.
            TypeError: If a value has the wrong type.
        """
        self._java_obj = _create(type(self).__name__, self.uid)
        self._setDefault(**defaults)
        self._set(**{name: value for name, value in given.items() if value is not None})

    def copy(self, extra: Mapping[Param[Any], Any] | None = None) -> Self:
        """Return a copy with other values of some Params.

        Raises:
            WrongUseError: CODE_NOT_ALLOWED if they contain consent to code: they may be the grid
                of a saved CrossValidator, and a file gives no consent.
        """
        for param, value in (extra or {}).items():
            if value and (param.parent, param.name) == (self.uid, "allowCode"):
                raise WrongUseError(
                    "CODE_NOT_ALLOWED",
                    "a map of Params, such as the grid of a saved CrossValidator, cannot allow "
                    f"code. Call setAllowCode(True) of the {type(self).__name__}.",
                )
        copied: Self = super().copy(extra)  # type: ignore[arg-type]
        return copied

    def setParams(self, **params: Any) -> Params:  # noqa: ANN401 - each Param checks its type
        """Set several Params by name."""
        return self._set(**params)


def _create(name: str, uid: str) -> Any:  # noqa: ANN401 - py4j's objects have no types
    spark = SparkSession.getActiveSession()
    if spark is None:
        raise WrongUseError(
            "MISSING_JAR",
            f"{_PACKAGE}.{name} needs an active Spark session with Sightline's jar. "
            "Make the session before the stage.",
        )
    try:
        return JavaWrapper._new_java_obj(f"{_PACKAGE}.{name}", uid)
    except TypeError as error:  # py4j takes an unknown class for a package
        raise WrongUseError(
            "MISSING_JAR",
            f"the Spark session has no class {_PACKAGE}.{name}. Start it with "
            ".config('spark.jars', 'sightline.jar') or spark-submit --jars sightline.jar.",
        ) from error
