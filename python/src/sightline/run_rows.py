"""Runs a model of any inputs on rows in memory, for `sightline.api.Model.run`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.signature import IMAGE, Input
from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.column_of_rows import column_of_rows, columns_of_runs
from sightline.engine.model import Model
from sightline.engine.run import run_arrays
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError
from sightline.source.read_images import ERROR, ERROR_TYPE, read_file

Rows = Sequence[Any] | Array
"""The values of one input: a numpy array (rows, …), or one value for each row."""

# Rows that are converted together. Arrays and images end a batch when they reach _BATCH_BYTES.
_BATCH_ROWS = 1024
_BATCH_BYTES = 16 * 1024 * 1024


def run_rows(
    model: Model, spec: EngineSettings, inputs: Mapping[str, Rows], outputs: Sequence[str] | None
) -> list[dict[str, Array] | RowError]:
    """Run a model on rows; see `sightline.api.Model.run`."""
    signature = model.bundle.manifest.signature
    rows = _row_count(inputs, signature.inputs, model.bundle.name)
    names = [one.name for one in signature.outputs] if outputs is None else list(outputs)
    columns = [f"__input{at}" for at in range(len(signature.inputs))]
    batches = _batches(inputs, signature.inputs, columns, rows, spec.max_image_bytes)
    found: list[dict[str, Array] | RowError] = []
    for outcome in run_arrays(batches, model, spec, names, columns, ERROR):
        given: list[Any] = outcome.kept.column(ERROR).to_pylist()
        for row in range(outcome.rows):
            error = RowError(**given[row]) if given[row] else outcome.errors.get(row)
            values = zip(names, outcome.arrays, strict=True)
            found.append(
                {name: np.asarray(array[row]) for name, array in values} if error is None else error
            )
    return found


def _row_count(inputs: Mapping[str, Rows], known: Sequence[Input], model: str) -> int:
    names = [one.tensor.name for one in known]
    if set(inputs) != set(names):
        raise WrongUseError(
            "UNKNOWN_COLUMN",
            f"the inputs of model {model} are {', '.join(names)}, but the given ones are "
            f"{', '.join(inputs) or 'none'}.",
        )
    for name in names:
        value = inputs[name]
        is_single = isinstance(value, np.ndarray) and value.ndim == 0
        if is_single or isinstance(value, str | bytes) or not hasattr(value, "__len__"):
            raise TypeError(f"the value of {name} must be a sequence with one element for each row")
    counts = {name: len(inputs[name]) for name in names}
    if len(set(counts.values())) > 1:
        described = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(f"all inputs must have the same number of rows, but have: {described}")
    return counts[names[0]]


def _batches(
    inputs: Mapping[str, Rows],
    known: Sequence[Input],
    columns: Sequence[str],
    rows: int,
    max_image_bytes: int,
) -> Iterator[pa.RecordBatch]:
    given = [inputs[one.tensor.name] for one in known]
    values = [one if isinstance(one, list | tuple | np.ndarray) else list(one) for one in given]
    end = 0
    while end < rows:
        start, size = end, 0
        images: dict[int, list[bytes | None]] = {
            at: [] for at, one in enumerate(known) if one.kind == IMAGE
        }
        errors: list[RowError | None] = []
        while end < min(rows, start + _BATCH_ROWS) and size < _BATCH_BYTES:
            error: RowError | None = None
            for at, value in enumerate(values):
                if at not in images:
                    size += getattr(value[end], "nbytes", 0)
                    continue
                found = _read(value[end], max_image_bytes)
                images[at].append(found if isinstance(found, bytes) else None)
                size += len(found) if isinstance(found, bytes) else 0
                error = error or (found if isinstance(found, RowError) else None)
            errors.append(error)
            end += 1
        runs: list[list[pa.Array[Any]]] = []
        for at, one in enumerate(known):
            if at in images:
                runs.append([pa.array(images[at], pa.binary())])
                continue
            found_columns, problems = _columns(values[at][start:end], one.tensor)
            runs.append(found_columns)
            errors = [error or problems.get(row) for row, error in enumerate(errors)]
        runs.append([pa.array([one and asdict(one) for one in errors], ERROR_TYPE)])
        yield from _of_equal_types(runs, [*columns, ERROR])


def _columns(
    rows: Sequence[Any] | Array, tensor: TensorSpec
) -> tuple[list[pa.Array[Any]], Mapping[int, RowError]]:
    """Return one column, or several and the errors of rows if the rows have no common type."""
    try:
        return [column_of_rows(rows, tensor)], {}
    except WrongUseError:
        if isinstance(rows, np.ndarray) and rows.dtype != object:
            raise  # all rows have one type
        return columns_of_runs(rows, tensor)


def _of_equal_types(
    runs: Sequence[Sequence[pa.Array[Any]]], names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield record batches of columns, each of which may be given in parts of different types."""
    ends = sorted({int(end) for one in runs for end in np.cumsum([len(part) for part in one])})
    for start, end in pairwise([0, *ends]):
        yield pa.RecordBatch.from_arrays([_slice(one, start, end) for one in runs], list(names))


def _slice(parts: Sequence[pa.Array[Any]], start: int, end: int) -> pa.Array[Any]:
    """Return rows of one part; the part that has the first of them has all."""
    for part in parts:
        if start < len(part):
            return part.slice(start, end - start)
        start, end = start - len(part), end - len(part)
    raise IndexError(start)


def _read(image: object, max_image_bytes: int) -> bytes | RowError | None:
    """Return the bytes of an image, or None for None."""
    if isinstance(image, str | os.PathLike):
        return read_file(os.fspath(image), max_image_bytes)
    if image is not None and not isinstance(image, bytes):
        raise TypeError(f"an image must be a path or bytes, not {type(image).__name__}")
    return image
