"""The options of a plugin's methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, cast

from sightline.engine.batch_rows import BatchRows
from sightline.errors import WrongUseError
from sightline.plugins.tensor_text import TensorTexts
from sightline.wrong_option import require_mapping, require_texts


class ModelOptions(TypedDict, total=False):
    """How a model is made. All of them are optional.

    Keys:
        name: Name of the model in messages and plans; letters, digits, ``_``, ``-`` and ``.``.
        inputs: Input tensors, such as ``"float32[n,4]"`` or ``{"ids": "int64[n,tokens]"}``. Without
            them they are found from the model or from `example_inputs`.
        outputs: Output tensors, in the same form; for a graph, a list of names of values inside it
            that become outputs too.
        example_inputs: A few rows: an array, or arrays by the name of the input.
        heads: For an output, ``classes``, ``vector`` or ``tensor`` (the default).
        labels: Labels of the classes, in their order.
        activation: What makes probabilities of class scores: ``softmax``, ``sigmoid``, ``none``,
            or ``auto`` to decide from the scores (not for Python code).
        images: Settings of inputs that take images, as for `sightline.add_model`.
        ranges: Limits of the test values of inputs, as for `sightline.add_model`.
        tensorflow_python: An interpreter with TensorFlow, for a SavedModel; by default
            ``$SIGHTLINE_TENSORFLOW_PYTHON``, else this one.
        signature: Signature of a SavedModel.
        code: More Python modules, packages or zips that a loader imports.
        allow_code: Whether the workers may run the loader or the plugin. Only for code that you
            trust.
    """

    name: str
    inputs: TensorTexts
    outputs: TensorTexts | Sequence[str]
    example_inputs: Any
    heads: Mapping[str, Literal["classes", "vector", "tensor"]]
    labels: Sequence[str]
    activation: Literal["auto", "softmax", "sigmoid", "none"]
    images: Mapping[str, Mapping[str, object]]
    ranges: Mapping[str, tuple[float, float]]
    tensorflow_python: str | Path
    signature: str
    code: str | Path | Sequence[str | Path]
    allow_code: bool


class CallOptions(ModelOptions, total=False):
    """The options of a model and of its calls in Spark.

    Keys:
        batch_rows: Largest number of rows in a batch of the model, or ``auto`` (default).
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        backend: The backend, if the model has several: ``onnx``, ``openvino``, ``pytorch``.
        casts: ``exact`` or ``lossy``: whether numbers are cut to the tensor's type.
        result: ``value`` for the only output without the error (NULL where a row has one), or
            ``struct`` for all outputs and the error. Default: ``value`` for a model with one
            output that is no class score, else ``struct``.
    """

    batch_rows: BatchRows
    device: str
    precision: str
    backend: str
    casts: str
    result: Literal["value", "struct"]


_MODEL = frozenset(ModelOptions.__annotations__)
_CALL = frozenset(CallOptions.__annotations__)


_Options = TypeVar("_Options", ModelOptions, CallOptions)


def require_options(given: _Options, *, call: bool) -> _Options:
    """Return the options, and raise an error for a wrong one, as Python checks no dictionary.

    Labels of an iterator become a tuple.

    Raises:
        WrongUseError: UNKNOWN_OPTION with the known options; INVALID_OPTION for a value of a wrong
            form.
    """
    checked: dict[str, object] = dict(given)
    known = _CALL if call else _MODEL
    for name in given:
        if name not in known:
            raise WrongUseError("UNKNOWN_OPTION", f"'{name}'. Known: {', '.join(sorted(known))}.")
    for name in ("heads", "images", "ranges"):
        if name in checked:
            require_mapping(name, checked[name])
    if "labels" in checked:
        checked["labels"] = require_texts("labels", checked["labels"])
    for name, values in (("result", ("value", "struct")), ("casts", ("exact", "lossy"))):
        if name in checked and checked[name] not in values:
            raise WrongUseError(
                "INVALID_OPTION", f"{name} is {checked[name]!r}. It must be {' or '.join(values)}."
            )
    return cast("_Options", checked)
