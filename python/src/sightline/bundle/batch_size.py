"""Finds whether a graph runs several rows at once, and changes a graph with a fixed batch size."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from sightline.backends.backend import Array
from sightline.bundle.axes import BATCH
from sightline.bundle.free_batch import free_batch
from sightline.bundle.golden import scaled_delta
from sightline.bundle.row_runner import RowRunner, count_rows, reason_of
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError


@dataclass(frozen=True)
class Batch:
    """A graph that gives the same results as the source's rows alone.

    Attributes:
        model: The source, or a changed copy that accepts any number of rows.
        runner: The model in onnxruntime.
        most_rows: 1 if it must run row by row; None for any number of rows.
        varying: Axes of outputs whose length differs from row to row, by name of the output.
        note: A line for the user about rows that must run alone; empty if they need not.
    """

    model: onnx.ModelProto
    runner: RowRunner
    most_rows: int | None
    varying: Mapping[str, Collection[int]]
    note: str = ""


def fixed_batch(inputs: Sequence[TensorSpec]) -> int:
    """Return the batch size that the inputs are fixed to; 0 if any size is accepted."""
    return max((one.shape[0] for one in inputs if isinstance(one.shape[0], int)), default=0)


def find_batch(
    model: onnx.ModelProto,
    source: RowRunner,
    inputs: Sequence[TensorSpec],
    rows: Mapping[str, Array],
    allowed: float,
    what: str,
) -> Batch:
    """Return a graph that runs all rows at once, or the source if it must run row by row.

    Args:
        model: The graph.
        source: The same in onnxruntime.
        inputs: Its inputs, as declared.
        rows: At least two rows.
        allowed: Largest difference of a row alone and the row in a batch, see `scaled_delta`.
        what: The model, for messages.

    Raises:
        WrongUseError: FIXED_BATCH if the graph runs neither any number of rows nor single rows.
    """
    fixed = fixed_batch(inputs)
    alone = source.parts(rows)
    varying = _varying(alone)
    reason = ""
    for candidate in _candidates(model, [one.name for one in inputs], fixed):
        try:
            runner = RowRunner(candidate)
            together = runner.together(rows)
            single = runner.alone(rows) if fixed > 1 else {}
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
            reason = reason or reason_of(error)
            continue
        problem = _difference(alone, together, source.step, allowed)
        if problem == "" and fixed > 1:
            problem = _difference([single], together, count_rows(rows), allowed)
        if problem == "":
            return Batch(candidate, runner, None, {})
        reason = reason or problem
    if fixed > 1:
        raise WrongUseError(
            "FIXED_BATCH",
            f"'{what}' is made for batches of {fixed} and cannot run another number of rows: "
            f"{reason}. Export it with a free first axis, or with a first axis of 1.",
        )
    why = "its batch size is fixed at 1" if fixed else f"rows influence each other ({reason})"
    return Batch(model, source, 1, varying, f"rows run one by one: {why}")


def _with_free_batch(model: onnx.ModelProto, names: Collection[str]) -> onnx.ModelProto:
    """Return a copy whose inputs accept any number of rows, and whose outputs have no shapes."""
    freed = onnx.ModelProto()
    freed.CopyFrom(model)
    for value in freed.graph.input:
        if value.name in names:
            axis = value.type.tensor_type.shape.dim[0]
            axis.Clear()
            axis.dim_param = BATCH
    for value in freed.graph.output:
        value.type.tensor_type.ClearField("shape")
    del freed.graph.value_info[:]
    return freed


def _candidates(
    model: onnx.ModelProto, names: Sequence[str], fixed: int
) -> Iterator[onnx.ModelProto]:
    if not fixed:
        yield model
        yield free_batch(model, names, 0)
        return
    yield _with_free_batch(model, names)
    yield _with_free_batch(free_batch(model, names, fixed), names)


def _varying(parts: Sequence[Mapping[str, Array]]) -> dict[str, set[int]]:
    """Return the axes whose length differs between single rows."""
    found: dict[str, set[int]] = {}
    for name, first in parts[0].items():
        for part in parts[1:]:
            if part[name].ndim == first.ndim:
                differing = {
                    at for at in range(1, first.ndim) if part[name].shape[at] != first.shape[at]
                }
                found.setdefault(name, set()).update(differing)
    return {name: axes for name, axes in found.items() if axes}


def _difference(
    alone: Sequence[Mapping[str, Array]], together: Mapping[str, Array], step: int, allowed: float
) -> str:
    """Return how the batch differs from the rows alone; empty if it does not.

    Outputs without a batch axis are not compared.
    """
    compared = 0
    for name, found in together.items():
        parts = [one[name] for one in alone]
        if any(one.shape[:1] != (step,) for one in parts):
            continue
        if found.shape[:1] == (1,) and all(np.array_equal(one, found) for one in parts):
            continue  # a constant
        compared += 1
        if len({one.shape for one in parts}) > 1:
            return f"the shape of its output '{name}' depends on the values of a row"
        expected = np.concatenate(parts)
        if found.shape != expected.shape:
            return f"its output '{name}' has the shape {found.shape} for {len(expected)} rows"
        far = scaled_delta(found, expected)
        if far > allowed:
            return f"its output '{name}' differs by {far:.2g} from that of the row alone"
    return "" if compared else "no output has a row for each row of the inputs"
