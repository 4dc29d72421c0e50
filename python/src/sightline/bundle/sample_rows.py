"""Makes test rows that an ONNX graph accepts: values, and lengths of free axes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sightline.backends.backend import Array
from sightline.bundle.graph import bad_onnx
from sightline.bundle.row_runner import RowRunner, reason_of
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.wrong_option import invalid_option

ROWS = 4
Range = tuple[float, float]
_LENGTHS = (6, 16, 32, 48, 64, 96, 128, 224, 256, 320, 1, 2, 3, 512)
_PLANE = 4  # axes of a batch of images or maps: their networks halve lengths several times
# Integers are often indices into a table, whose length is not known. The first range must be small.
_NARROW, _WIDER = (0, 2), ((0, 100), (0, 10))


def find_rows(
    runner: RowRunner,
    inputs: Sequence[TensorSpec],
    given: Mapping[str, Array],
    ranges: Mapping[str, Range],
    what: str,
) -> dict[str, Array]:
    """Return rows of fixed pseudo-random values that the graph runs: four, or one of its batches.

    Lengths of free axes are tried in turn, different lengths before equal ones. For integers the
    widest of some ranges from 0 is taken that the graph accepts.

    Args:
        runner: The graph.
        inputs: Its inputs with their declared shapes; the first axis is the batch.
        given: Rows for some inputs, such as images.
        ranges: Lowest value and limit of an input's values, for inputs by name.
        what: The model, for messages.

    Raises:
        WrongUseError: BAD_ONNX if no attempt runs; UNKNOWN_INPUT or INVALID_OPTION for a range.
    """
    _check_ranges(ranges, inputs)
    narrow = {one.name: ranges.get(one.name, _default_range(one)) for one in inputs}
    reason = ""
    for lengths in _lengths(inputs, given):
        rows = {
            one.name: given[one.name]
            if one.name in given
            else sample(one, lengths, narrow[one.name], _rows(runner))
            for one in inputs
        }
        if (problem := _problem(runner, rows)) == "":
            return _widened(runner, rows, inputs, lengths, {*given, *ranges})
        reason = reason or problem
    raise bad_onnx(
        what,
        f"it does not run on test rows ({reason}). For an integer input, state its values: "
        "--range INPUT=0:100",
    )


def sample(
    tensor: TensorSpec, lengths: Mapping[str, int], limits: Range, rows: int = ROWS
) -> Array:
    """Return rows of pseudo-random values; the same for the same arguments.

    Floats are normally distributed if both limits are equal, else uniform within them.
    Integers are from limits[0] to limits[1] - 1. The first value of a row of booleans, and of
    integers below 2, is 1, so that a mask is not empty.
    """
    axes = (lengths[one] if isinstance(one, str) else one for one in tensor.row_axes)
    shape: tuple[int, ...] = (rows, *axes)
    random = np.random.default_rng(zlib.crc32(tensor.name.encode()))
    low, high = limits
    if tensor.dtype.startswith("float"):
        if low == high:
            return random.standard_normal(shape).astype(tensor.dtype)
        return random.uniform(low, high, shape).astype(tensor.dtype)
    values: Array = random.integers(int(low), int(high), shape)
    if high == _NARROW[1] and values.ndim > 1:
        values[..., 0] = 1
    return values.astype(tensor.dtype)


def _check_ranges(ranges: Mapping[str, Range], inputs: Sequence[TensorSpec]) -> None:
    known = {one.name: one for one in inputs}
    for name, (low, high) in ranges.items():
        if name not in known:
            raise WrongUseError("UNKNOWN_INPUT", f"'{name}'. Known: {', '.join(known)}.")
        dtype = np.dtype(known[name].dtype)
        least, most = (-np.inf, np.inf)
        if dtype.kind != "f":
            least, most = (
                (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            )
        if not (low < high and least <= low and high <= most + 1):
            rule = f"It must be two {dtype} numbers, the lowest value and a limit above it."
            raise invalid_option("--range", f"{name}={low:g}:{high:g}", rule)


def unique_axes(inputs: Sequence[TensorSpec]) -> list[TensorSpec]:
    """Return the inputs with a name for every free axis, which is different if it has none."""
    return [
        TensorSpec(
            one.name,
            one.dtype,
            tuple(f"{one.name}_{at}" if axis == "?" else axis for at, axis in enumerate(one.shape)),
        )
        for one in inputs
    ]


def _default_range(tensor: TensorSpec) -> Range:
    return (0, 0) if tensor.dtype.startswith("float") else _NARROW


def _lengths(inputs: Sequence[TensorSpec], given: Mapping[str, Array]) -> Iterator[dict[str, int]]:
    """Yield lengths for the free axes. Those of given rows are known."""
    known: dict[str, int] = {}
    for one in inputs:
        if one.name in given:
            known = one.bind(given[one.name].shape[1:], known) or known
    free = sorted({axis for one in inputs for axis in one.free_axes} - known.keys())
    if not free:
        yield known
        return
    plane = any(len(one.shape) >= _PLANE and one.free_axes for one in inputs)
    for length in sorted(_LENGTHS, key=lambda one: one < 32) if plane else _LENGTHS:
        if len(free) > 1:
            yield known | {axis: length * (at + 1) for at, axis in enumerate(free)}
        yield known | dict.fromkeys(free, length)


def _widened(
    runner: RowRunner,
    rows: Mapping[str, Array],
    inputs: Sequence[TensorSpec],
    lengths: Mapping[str, int],
    kept: set[str],
) -> dict[str, Array]:
    """Return the rows with a wider range of integers where the graph accepts it."""
    found = dict(rows)
    for one in inputs:
        is_mask = "mask" in one.name.lower()
        if one.name in kept or is_mask or one.dtype == "bool" or one.dtype.startswith("float"):
            continue
        for limits in ((0, 256), *_WIDER) if one.dtype == "uint8" else _WIDER:
            wider = found | {one.name: sample(one, lengths, limits, _rows(runner))}
            if _problem(runner, wider) == "":
                found = wider
                break
    return found


def _rows(runner: RowRunner) -> int:
    return ROWS if runner.step == 1 else runner.step


def _problem(runner: RowRunner, rows: Mapping[str, Array]) -> str:
    """Return why the graph does not run on the rows; empty if it runs."""
    try:
        runner.alone(rows)
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
        return reason_of(error)
    return ""
