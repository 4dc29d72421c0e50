"""Inference on record batches and on the arguments of scalar functions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sightline.engine import arrow_types
from sightline.engine.batch_loop import infer
from sightline.engine.batches import Outcome, Request
from sightline.engine.counters import Counters
from sightline.engine.feeds.feed import FeedColumn
from sightline.engine.heads.head import Head
from sightline.engine.make_feeds_and_heads import open_feeds, open_heads, open_plain_heads
from sightline.engine.model import Model
from sightline.engine.result_type import ResultType, Several
from sightline.engine.settings import EngineSettings
from sightline.engine.several_results import SeveralResults
from sightline.errors import WrongUseError

ERROR = "error"
_ALL_NULL = "all_null"
_READ_IMAGE = {"content", "error"}


def run(
    batches: Iterable[pa.RecordBatch],
    model: Model,
    spec: EngineSettings,
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
        inputs: The column with the values of each input of the model's signature. An image column
            is binary.
        errors: Name of the column with read errors; it may be missing. A row with an error keeps
            it and is not inferred.
        counters: Updated during the run.

    Returns:
        One batch per input batch, with the same rows in the same order. Its columns are those of
        the input without ``inputs`` and ``errors``, then the fields of the result, then ``error``.
        In each row either ``error`` or all fields of the result are null. If other columns of the
        input have the names of result fields, the output has both, and the results come last.

    Raises:
        WrongUseError: UNKNOWN_COLUMN if a column of ``inputs`` is missing; WRONG_COLUMN_TYPE; an
            error of `open_heads`.
        SightlineError: MODEL_OUTPUT, or MODEL_FAILED if the backend raises on a batch.
    """
    call = _Call(model, spec, lambda: _heads(model, result), is_several=isinstance(result, Several))
    requests = (call.bulk_request(batch, inputs, errors) for batch in batches)
    for kept, arrays in call.run(requests, errors, counters):
        names = kept.schema.names
        passed = [i for i, name in enumerate(names) if name != errors]
        columns = [*(kept.column(i) for i in passed), *arrays]
        schema = pa.schema([*(kept.schema.field(i) for i in passed), *call.fields])
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def run_scalar(
    arguments: Iterable[pa.Array[Any] | Sequence[pa.Array[Any]]],
    model: Model,
    spec: EngineSettings,
    result: ResultType,
    counters: Counters | None = None,
) -> Iterator[pa.Array[Any]]:
    """Run the model on the arguments of a scalar function.

    Args:
        arguments: For each batch, one array per input of the model's signature. A batch of a model
            with one input may be the array itself. An image is binary, or struct<content: binary,
            error: struct<code, stage, message>> if its read may have failed.
        model: A bundle and its session.
        spec: Sizes and limits.
        result: The result type.
        counters: Updated during the run.

    Returns:
        One struct array per batch, with the same length and order: the fields of the result, then
        ``error``. A row whose inputs are all null is null. In other rows either ``error`` or all
        other fields are null.

    Raises:
        WrongUseError: WRONG_COLUMN_TYPE; an error of `open_heads`.
        SightlineError: MODEL_OUTPUT, or MODEL_FAILED if the backend raises on a batch.
    """
    call = _Call(model, spec, lambda: _heads(model, result), is_several=isinstance(result, Several))
    for kept, arrays in call.run(map(call.scalar_request, arguments), ERROR, counters):
        yield pa.StructArray.from_arrays(arrays, fields=call.fields, mask=kept.column(_ALL_NULL))


def run_arrays(
    batches: Iterable[pa.RecordBatch],
    model: Model,
    spec: EngineSettings,
    outputs: Sequence[str],
    inputs: Sequence[str],
    errors: str,
) -> Iterator[Outcome]:
    """Run the model on the rows of record batches, and return numpy arrays of outputs.

    Args:
        batches: See `run`.
        model: A bundle and its session.
        spec: Sizes and limits.
        outputs: Names of outputs of the signature. Their heads are ignored.
        inputs: See `run`.
        errors: See `run`.

    Returns:
        One outcome per batch. Its arrays are those of `outputs`, and its kept columns those of the
        batch without `inputs`.

    Raises:
        WrongUseError: UNKNOWN_OUTPUT; UNKNOWN_COLUMN; WRONG_COLUMN_TYPE.
        SightlineError: MODEL_OUTPUT, or MODEL_FAILED if the backend raises on a batch.
    """
    call = _Call(model, spec, lambda: [open_plain_heads(model.bundle, outputs)])
    return call.outcomes((call.bulk_request(batch, inputs, errors) for batch in batches), None)


def _heads(model: Model, result: ResultType) -> list[Mapping[str, Head]]:
    results = result.results if isinstance(result, Several) else (result,)
    return [open_heads(model.bundle, one) for one in results]


class _Call:
    """A run of a model with some heads, for record batches and for scalar functions."""

    def __init__(
        self,
        model: Model,
        spec: EngineSettings,
        open_: Callable[[], Sequence[Mapping[str, Head]]],
        *,
        is_several: bool = False,
    ) -> None:
        self._model = model
        self._spec = spec.with_most_rows(model.bundle.manifest.most_rows)
        self._feeds = open_feeds(model.bundle, spec)
        parts = open_()
        self._several = SeveralResults(parts) if is_several else None
        self._heads = parts[0]
        results = (
            self._several.fields
            if self._several
            else [field for head in self._heads.values() for field in head.fields]
        )
        self.fields = [*results, pa.field(ERROR, arrow_types.ERROR)]

    def run(
        self, requests: Iterable[Request], errors: str, counters: Counters | None
    ) -> Iterator[tuple[pa.RecordBatch, list[pa.Array[Any]]]]:
        """Yield the kept columns and the arrays of `fields` of each request."""
        counters = counters or Counters()
        for outcome in self.outcomes(requests, counters):
            started = time.thread_time()
            given = outcome.kept.column(errors) if errors in outcome.kept.schema.names else None
            error = _error_column(outcome, given)
            columns = (
                self._several.columns(outcome.arrays, outcome.present, error)
                if self._several
                else self._columns(outcome)
            )
            arrays = [*columns, error]
            counters.add_errors(error)
            counters.result_cpu_s += time.thread_time() - started
            yield outcome.kept, arrays

    def outcomes(self, requests: Iterable[Request], counters: Counters | None) -> Iterator[Outcome]:
        """Yield the outcome of each request."""
        counters = counters or Counters()
        heads = self._several.converters if self._several else self._heads
        return infer(requests, self._model, self._feeds, heads, self._spec, counters)

    def bulk_request(self, batch: pa.RecordBatch, inputs: Sequence[str], errors: str) -> Request:
        names = batch.schema.names
        for name in inputs:
            if name not in names:
                known = ", ".join(names)
                raise WrongUseError("UNKNOWN_COLUMN", f"{name!r}. The input has: {known}.")
        kept = batch.select([i for i, name in enumerate(names) if name not in inputs])
        wanted = (
            np.asarray(batch.column(errors).is_null())
            if errors in names
            else np.ones(batch.num_rows, np.bool_)
        )
        return Request(self._open([batch.column(name) for name in inputs]), wanted, kept)

    def scalar_request(self, arguments: pa.Array[Any] | Sequence[pa.Array[Any]]) -> Request:
        given = [arguments] if isinstance(arguments, pa.Array) else arguments
        all_null = np.all([np.asarray(array.is_null()) for array in given], axis=0)
        error: pa.Array[Any] = pa.nulls(len(all_null), arrow_types.ERROR)
        columns = []
        for array in given:
            if isinstance(array, pa.StructArray) and {f.name for f in array.type} == _READ_IMAGE:
                fields = pa.RecordBatch.from_arrays(array.flatten(), [f.name for f in array.type])
                columns.append(fields.column("content"))
                error = pc.coalesce(error, fields.column("error").cast(arrow_types.ERROR))
            else:
                columns.append(array)
        wanted = ~all_null & np.asarray(error.is_null())
        kept = pa.RecordBatch.from_arrays([pa.array(all_null), error], [_ALL_NULL, ERROR])
        return Request(self._open(columns), wanted, kept)

    def _open(self, columns: Sequence[pa.Array[Any]]) -> list[FeedColumn]:
        if len(columns) != len(self._feeds):
            inputs = ", ".join(
                one.tensor.name for one in self._model.bundle.manifest.signature.inputs
            )
            raise WrongUseError(
                "UNKNOWN_COLUMN",
                f"{len(columns)} columns are given for the {len(self._feeds)} inputs of model "
                f"{self._model.bundle.name}: {inputs}.",
            )
        found = [feed.open(column) for feed, column in zip(self._feeds, columns, strict=True)]
        for input_, column in zip(self._model.bundle.manifest.signature.inputs, found, strict=True):
            if input_.tensor.free_axes and not hasattr(column, "row_shape"):
                raise WrongUseError(
                    "INVALID_BUNDLE",
                    f"{self._model.bundle.path}: the feed '{input_.kind}' makes rows of one shape, "
                    f"but the input {input_.tensor} has free axes.",
                )
        return found

    def _columns(self, outcome: Outcome) -> Iterator[pa.Array[Any]]:
        arrays = iter(outcome.arrays)
        for head in self._heads.values():
            kept = list(islice(arrays, len(head.kept)))
            yield from head.columns(kept, outcome.present)


def _error_column(outcome: Outcome, given: pa.Array[Any] | None) -> pa.Array[Any]:
    """Return struct<code, stage, message>, null in rows without an error.

    Args:
        outcome: The errors of the engine.
        given: Errors of the input, which are returned unchanged; None without such a column.
    """
    own: pa.Array[Any] = pa.nulls(outcome.rows, arrow_types.ERROR)
    if outcome.errors:
        rows: list[dict[str, str] | None] = [None] * outcome.rows
        for row, error in outcome.errors.items():
            rows[row] = {"code": error.code, "stage": error.stage, "message": error.message}
        own = pa.array(rows, arrow_types.ERROR)
    if given is None or given.null_count == len(given):
        return own
    given = given.cast(arrow_types.ERROR)
    return pc.coalesce(given, own) if outcome.errors else given
