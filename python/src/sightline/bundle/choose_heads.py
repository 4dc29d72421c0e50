"""Chooses the heads of a model's outputs: class scores, vectors or tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sightline.backends.backend import Array
from sightline.bundle.outputs import (
    Asked,
    KeptOutput,
    choose_outputs,
    decide_activation,
    keep_output,
)
from sightline.bundle.signature import CLASSES, FLOATS, TENSOR, VECTOR, Classes, Kind, Output
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError

HEADS = (CLASSES, VECTOR, TENSOR)
_LABELS = "labels.txt"


@dataclass(frozen=True)
class HeadedOutput:
    """One output of the bundle.

    Attributes:
        output: Its tensor and head.
        kept: How the graph changes the model's output into this tensor; None if it does not.
        labels: The labels of a classes head, else empty.
    """

    output: Output
    kept: KeptOutput | None = None
    labels: tuple[str, ...] = ()

    def apply(self, values: Array) -> Array:
        """Convert the model's output to that of the bundle."""
        return values if self.kept is None else self.kept.apply(values)

    @property
    def source(self) -> str:
        """Name of the output in the model."""
        return self.output.name if self.kept is None else self.kept.source


def choose_heads(
    tensors: Sequence[TensorSpec],
    values: Mapping[str, Array],
    asked: Mapping[str, str],
    labels: Mapping[str, tuple[str, ...]],
    activation: Asked,
    tolerance: float,
    what: str,
) -> list[HeadedOutput]:
    """Return each output with its head.

    An output with labels gets a classes head. Other floating-point outputs of shape (n, length)
    get a vector head, and the rest tensor heads, unless `asked` says otherwise.

    Args:
        tensors: The outputs of the model.
        values: Their values for the test rows.
        asked: The requested heads, by output.
        labels: Labels by output. The labels of "" belong to the classes head in `asked`, or else to
            the output with one number per label.
        activation: See `decide_activation`.
        tolerance: See `decide_activation`.
        what: The model, for messages.

    Raises:
        WrongUseError: UNKNOWN_OUTPUT or WRONG_HEAD for a request that does not fit the outputs; an
            error of `choose_outputs` or `decide_activation`.
    """
    known = {one.name: one for one in tensors}
    unknown = [name for name in (*asked, *labels) if name not in known and name != ""]
    if unknown:
        raise WrongUseError("UNKNOWN_OUTPUT", f"'{unknown[0]}'. Known: {', '.join(known)}.")
    wanted = dict(asked)
    given = {name: one for name, one in labels.items() if name}
    for name in given:
        wanted.setdefault(name, CLASSES)
    classes = [name for name, head in wanted.items() if head == CLASSES]
    general = labels.get("", ())
    if general and not classes:
        name = _scores(tensors, values, len(general), activation, what)
        wanted[name], classes = CLASSES, [name]
    for name in classes:
        if not given.setdefault(name, general):
            raise WrongUseError(
                "WRONG_HEAD",
                f"output {name} has a classes head, which needs labels: --labels FILE.",
            )
    found: list[HeadedOutput] = []
    for tensor in tensors:
        head = wanted.get(tensor.name, VECTOR if _is_vector(tensor) else TENSOR)
        if head == CLASSES:
            file = _LABELS if tensor.name == classes[0] else f"labels_{len(found) + 1}.txt"
            one = given[tensor.name]
            value = values[tensor.name]
            found.append(_classes(tensor, value, one, activation, tolerance, file, what))
        elif head == VECTOR and not _is_vector(tensor):
            found.append(_flat(tensor, values[tensor.name]))
        else:
            found.append(HeadedOutput(Output(tensor, Kind(head))))
    return found


def _is_vector(tensor: TensorSpec) -> bool:
    one_axis = len(tensor.row_axes) == 1 and not tensor.free_axes
    return tensor.dtype in FLOATS and one_axis


def _fixed(tensors: Sequence[TensorSpec]) -> list[TensorSpec]:
    return [one for one in tensors if not one.free_axes and one.dtype in FLOATS]


def _scores(
    tensors: Sequence[TensorSpec],
    values: Mapping[str, Array],
    labels: int,
    activation: Asked,
    what: str,
) -> str:
    """Return the name of the only output that may hold the scores of so many labels."""
    arrays = {one.name: values[one.name] for one in _fixed(tensors)}
    rows = len(next(iter(values.values())))
    kept = choose_outputs(arrays, rows, labels, what, activation)
    return next(one.source for one in kept if one.role == "scores")


def _classes(
    tensor: TensorSpec,
    value: Array,
    labels: tuple[str, ...],
    activation: Asked,
    tolerance: float,
    file: str,
    what: str,
) -> HeadedOutput:
    if not _fixed([tensor]):
        raise _wrong_head(tensor, CLASSES)
    kept = next(
        one
        for one in choose_outputs({tensor.name: value}, len(value), len(labels), what, activation)
        if one.role == "scores"
    )
    scores = kept.apply(value)
    # Probabilities of two classes that are made of one number need no activation.
    chosen = (
        "none"
        if kept.change.endswith("of two")
        else decide_activation(scores, activation, what, tolerance)
    )
    output = Output(kept.tensor, Classes(file, chosen))
    return HeadedOutput(output, None if kept.is_identity else kept, labels)


def _flat(tensor: TensorSpec, value: Array) -> HeadedOutput:
    if not _fixed([tensor]):
        raise _wrong_head(tensor, VECTOR)
    kept = keep_output(tensor.name, value)
    if kept.role != "vector":
        raise _wrong_head(tensor, VECTOR)
    return HeadedOutput(Output(kept.tensor, Kind(VECTOR)), kept)


def _wrong_head(tensor: TensorSpec, head: str) -> WrongUseError:
    return WrongUseError(
        "WRONG_HEAD",
        f"output {tensor} cannot have a {head} head, which needs floating-point numbers of a fixed "
        "length: (n, length).",
    )
