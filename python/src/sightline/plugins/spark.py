"""Models of plugins in PySpark: functions of columns, and Spark ML stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from pyspark.sql import Column, SparkSession
from pyspark.sql.functions import call_function, col, create_map, lit

from sightline.backends.python import VARIANT
from sightline.bundle.bundle import Bundle
from sightline.bundle.signature import Signature
from sightline.errors import WrongUseError
from sightline.plugins.model_options import CallOptions

# Options of a call, and the Params of the stages.
_PARAMS = {
    "device": "device",
    "precision": "precision",
    "casts": "casts",
    "batch_rows": "batchRows",
}
_SETTING = "spark.sightline.allowCode"


@dataclass(frozen=True)
class ModelFunction:
    """A model as a function of columns.

    Attributes:
        name: Name of the model. Its column is named as a call: ``name(a, b)``.
        path: The bundle of the model.
        signature: Its inputs and outputs.
        output: The output whose value is the result; empty for the struct of all.
        options: Options of `ml_predict`, as texts.
    """

    name: str
    path: Path
    signature: Signature = field(repr=False)
    output: str
    options: Mapping[str, str]

    @staticmethod
    def of(path: Path, options: CallOptions) -> ModelFunction:
        """Return the function of a bundle's model.

        Raises:
            WrongUseError: CODE_NOT_ALLOWED, NO_SPARK_SESSION or INVALID_OPTION.
        """
        bundle = Bundle.load(path)
        allow_own_code(bundle, allow_code=options.get("allow_code", False))
        signature = bundle.manifest.signature
        single = len(signature.outputs) == 1 and signature.classes is None
        result = options.get("result", "value" if single else "struct")
        if result == "value" and not single:
            names = ", ".join(one.name for one in signature.outputs)
            raise WrongUseError(
                "INVALID_OPTION",
                f"result is 'value', but the model's result is no single value: {names}. "
                "Use 'struct', and select a field.",
            )
        output = signature.outputs[0].name if result == "value" else ""
        return ModelFunction(bundle.name, path, signature, output, _texts(bundle, options))

    def __call__(self, *columns: Column | str, **named: Column | str) -> Column:
        """Return the result column.

        Args:
            columns: A column for each input, in the order of the signature.
            named: Columns by the names of the other inputs.

        Raises:
            WrongUseError: WRONG_ARGUMENTS.
        """
        names = [one.tensor.name for one in self.signature.inputs]
        given = dict(zip(names, columns, strict=False))
        twice = given.keys() & named.keys()
        given |= named
        if len(columns) > len(names) or twice or given.keys() != set(names):
            found = [*(f"column {at + 1}" for at in range(len(columns))), *named]
            raise WrongUseError(
                "WRONG_ARGUMENTS",
                f"the model has the inputs {', '.join(names)}, but it was called with "
                f"{', '.join(found) or 'nothing'}.",
            )
        arguments = [lit(str(self.path)), *(_column(given[name]) for name in names)]
        if self.options:
            arguments.append(create_map(*(lit(text) for text in chain(*self.options.items()))))
        result = call_function("ml_predict", *arguments)
        texts = [one if isinstance(one, str) else _text(one) for one in map(given.get, names)]
        # By itself Spark would name the column after the call, with the path of the bundle.
        return (result[self.output] if self.output else result).alias(
            f"{self.name}({', '.join(texts)})"
        )


def stage(path: Path, options: CallOptions) -> Any:  # noqa: ANN401 - one of several stages
    """Return the Spark ML stage of a bundle's model, with its Params set from the options.

    Returns:
        An ImagePredictor or ImageFeaturizer for a model of one image with classes or features,
        else a TensorTransformer.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED or NO_SPARK_SESSION.
    """
    from sightline import ml

    bundle = Bundle.load(path)
    signature = bundle.manifest.signature
    allow_own_code(bundle, allow_code=options.get("allow_code", False))
    params: dict[str, Any] = {
        "model": str(path),
        "backend": backend_of(bundle, options),
        "allowCode": VARIANT in bundle.manifest.variants,
    }
    for option, param in _PARAMS.items():
        if option in options:
            params[param] = options[option]  # type: ignore[literal-required]
    if signature.image is None or not (signature.classes or signature.vector):
        return ml.TensorTransformer(**params)
    params.pop("casts", None)
    return ml.ImagePredictor(**params) if signature.classes else ml.ImageFeaturizer(**params)


def allow_own_code(bundle: Bundle, *, allow_code: bool) -> None:
    """Check the user's consent to code in the bundle, and tell the JVM of it.

    The consent is for this bundle's hash, until the JVM ends.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED or NO_SPARK_SESSION.
    """
    session = SparkSession.getActiveSession()
    if session is None:
        raise WrongUseError(
            "NO_SPARK_SESSION",
            "the function of a model needs a Spark session with the jar. Make it first: "
            "SparkSession.builder.config('spark.jars', 'sightline.jar').config("
            "'spark.sql.extensions', 'sightline.sql.SightlineExtensions').getOrCreate().",
        )
    variant = bundle.manifest.other_variants.get(VARIANT)
    if variant is None:
        return
    jvm: Any = session
    if allow_code:
        jvm._jvm.sightline.plan.AllowedCode.add(bundle.sha256)
    elif session.sparkContext.getConf().get(_SETTING, "false") != "true":
        raise WrongUseError(
            "CODE_NOT_ALLOWED",
            f"model '{bundle.name}' runs the Python code '{variant['architecture']}' in the "
            f"workers. If you trust it, give allow_code=True, or start Spark with {_SETTING}=true.",
        )


def backend_of(bundle: Bundle, options: CallOptions) -> str:
    """Return the requested backend; else the one of the bundle's first variant."""
    first = VARIANT if bundle.manifest.onnx is None and not bundle.manifest.pytorch else "onnx"
    return options.get("backend", first if bundle.manifest.onnx or first == VARIANT else "pytorch")


def _texts(bundle: Bundle, options: CallOptions) -> dict[str, str]:
    """Return the options of the SQL function."""
    texts = {"backend": backend_of(bundle, options)}
    for name in _PARAMS:
        if name in options:
            texts[name] = str(options[name])  # type: ignore[literal-required]
    return texts


def _text(column: Column | None) -> str:
    """Return what Spark shows of a column, without `Column<'…'>`."""
    return str(column).removeprefix("Column<'").removesuffix("'>")


def _column(value: Column | str) -> Column:
    return col(value) if isinstance(value, str) else value
