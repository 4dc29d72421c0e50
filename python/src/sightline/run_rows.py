"""Runs a model of any inputs on rows in memory, for `sightline.api.Model.run`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.signature import IMAGE, Input
from sightline.engine.column_of_rows import column_of_rows
from sightline.engine.model import Model
from sightline.engine.run import run_arrays
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError
from sightline.source.read_images import ERROR, ERROR_TYPE, read_file

Rows = Sequence[Any] | Array
"""The values of one input: a numpy array (rows, …), or one value for each row."""

# Rows that are converted together; numpy arrays also end a batch when they reach _BATCH_BYTES.
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
    start = 0
    while start < rows:
        end = _end(values, start, rows)
        errors: list[RowError | None] = [None] * (end - start)
        arrays = []
        for input_, value in zip(known, values, strict=True):
            part = value[start:end]
            arrays.append(
                _images(part, errors, max_image_bytes)
                if input_.kind == IMAGE
                else column_of_rows(part, input_.tensor)
            )
        found = pa.array([one and asdict(one) for one in errors], ERROR_TYPE)
        yield pa.RecordBatch.from_arrays([*arrays, found], [*columns, ERROR])
        start = end


def _end(values: Sequence[Rows], start: int, rows: int) -> int:
    """Return the end of the batch that begins at `start`."""
    size = 0
    for row in range(start, min(start + _BATCH_ROWS, rows)):
        size += sum(getattr(value[row], "nbytes", 0) for value in values)
        if size >= _BATCH_BYTES:
            return row + 1
    return min(start + _BATCH_ROWS, rows)


def _images(images: Rows, errors: list[RowError | None], max_image_bytes: int) -> pa.Array[Any]:
    """Return the bytes of images, and set the error of those that cannot be read."""
    contents: list[bytes | None] = []
    for row, image in enumerate(images):
        found: bytes | RowError | None = image
        if isinstance(image, str | os.PathLike):
            found = read_file(os.fspath(image), max_image_bytes)
        elif image is not None and not isinstance(image, bytes):
            raise TypeError(f"an image must be a path or bytes, not {type(image).__name__}")
        contents.append(found if isinstance(found, bytes) else None)
        if isinstance(found, RowError):
            errors[row] = errors[row] or found
    return pa.array(contents, pa.binary())
