"""Inference on record batches and on the arguments of scalar functions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.engine import arrow_types
from sightline.engine.binary_column import BinaryColumn
from sightline.engine.counters import Counters
from sightline.engine.infer import infer
from sightline.engine.model import Model
from sightline.engine.request import Request
from sightline.engine.result import error_column, result_columns, result_fields
from sightline.engine.result_type import ResultType
from sightline.engine.spec import EngineSpec
from sightline.errors import WrongUseError

ERROR = "error"
_ALL_NULL = "all_null"


def run(
    batches: Iterable[pa.RecordBatch],
    model: Model,
    spec: EngineSpec,
    result: ResultType,
    inputs: Sequence[str],
    errors: str,
    counters: Counters | None = None,
) -> Iterator[pa.RecordBatch]:
    """Run the model on the rows of record batches.

    Args:
        batches: Batches of one schema.
        model: A bundle and its session.
        spec: Sizes and limits.
        result: The result type.
        inputs: For each input of the model's signature, the column with its values. An image
            column is binary.
        errors: Name of the column with read errors; it may be absent. A row with an error keeps
            it and is not inferred.
        counters: Updated during the run.

    Returns:
        One batch per input batch, with the same rows in the same order. Its columns are those of
        the input without ``inputs`` and ``errors``, then the fields of the result, then ``error``.
        In each row either ``error`` is null or all fields of the result are. If other columns of
        the input have the names of result fields, both are there; the results are the last.

    Raises:
        WrongUseError: UNKNOWN_COLUMN if a column of ``inputs`` is missing; NO_FEATURES.
        SightlineError: MODEL_OUTPUT, or MODEL_FAILED if the backend raises on a batch.
    """
    requests = (_bulk_request(batch, inputs, errors) for batch in batches)
    for kept, fields, arrays in _run(requests, model, spec, result, errors, counters):
        names = kept.schema.names
        passed = [i for i, name in enumerate(names) if name != errors]
        columns = [*(kept.column(i) for i in passed), *arrays]
        schema = pa.schema([*(kept.schema.field(i) for i in passed), *fields])
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def run_scalar(
    arguments: Iterable[pa.Array[Any] | Sequence[pa.Array[Any]]],
    model: Model,
    spec: EngineSpec,
    result: ResultType,
    counters: Counters | None = None,
) -> Iterator[pa.Array[Any]]:
    """Run the model on the arguments of a scalar function.

    Args:
        arguments: For each batch, one array per input of the model's signature; a single array
            may stand for itself. An image is binary, or struct<content: binary, error:
            struct<code, stage, message>> if reading it may have failed.
        model: A bundle and its session.
        spec: Sizes and limits.
        result: The result type.
        counters: Updated during the run.

    Returns:
        One struct array per batch, with the same length and order: the fields of the result, then
        ``error``. A row whose inputs are all null is null. In any other row either ``error`` is
        null or all other fields are.

    Raises:
        WrongUseError: NO_FEATURES.
        SightlineError: MODEL_OUTPUT, or MODEL_FAILED if the backend raises on a batch.
    """
    requests = map(_scalar_request, arguments)
    for kept, fields, arrays in _run(requests, model, spec, result, ERROR, counters):
        yield pa.StructArray.from_arrays(arrays, fields=fields, mask=kept.column(_ALL_NULL))


def _run(
    requests: Iterable[Request],
    model: Model,
    spec: EngineSpec,
    result: ResultType,
    errors: str,
    counters: Counters | None,
) -> Iterator[tuple[pa.RecordBatch, list[pa.Field[Any]], list[pa.Array[Any]]]]:
    """Yield for each request the kept columns, and the fields and arrays of result and error."""
    counters = counters or Counters()
    fields = [*result_fields(result), pa.field(ERROR, arrow_types.ERROR)]
    for outcome in infer(requests, model, spec, result, counters):
        started = time.thread_time()
        given = outcome.kept.column(errors) if errors in outcome.kept.schema.names else None
        arrays = [*result_columns(outcome, result, model.labels), error_column(outcome, given)]
        counters.result_cpu_s += time.thread_time() - started
        yield outcome.kept, fields, arrays


def _bulk_request(batch: pa.RecordBatch, inputs: Sequence[str], errors: str) -> Request:
    names = batch.schema.names
    for name in inputs:
        if name not in names:
            raise WrongUseError("UNKNOWN_COLUMN", f"{name!r}. The input has: {', '.join(names)}.")
    kept = batch.select([i for i, name in enumerate(names) if name not in inputs])
    wanted = (
        np.asarray(batch.column(errors).is_null())
        if errors in names
        else np.ones(batch.num_rows, np.bool_)
    )
    return Request(BinaryColumn(batch.column(inputs[0])), wanted, kept)


def _scalar_request(arguments: pa.Array[Any] | Sequence[pa.Array[Any]]) -> Request:
    (array,) = [arguments] if isinstance(arguments, pa.Array) else arguments
    is_null = array.is_null()
    error: pa.Array[Any] = pa.nulls(len(array), arrow_types.ERROR)
    content = array
    if isinstance(array, pa.StructArray):
        columns = pa.RecordBatch.from_arrays(array.flatten(), [f.name for f in array.type])
        content, error = columns.column("content"), columns.column("error")
    wanted = ~np.asarray(is_null) & np.asarray(error.is_null())
    kept = pa.RecordBatch.from_arrays([is_null, error], [_ALL_NULL, ERROR])
    return Request(BinaryColumn(content), wanted, kept)
