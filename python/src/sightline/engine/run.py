"""Bulk inference on record batches."""

import time
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from sightline.engine import arrow_types, result
from sightline.engine.binary_column import BinaryColumn
from sightline.engine.counters import Counters
from sightline.engine.infer import infer
from sightline.engine.model import Model
from sightline.engine.request import Request
from sightline.engine.spec import EngineSpec
from sightline.errors import WrongUseError

PREDICTION = "prediction"
FEATURES = "features"
ERROR = "error"


def run(
    batches: Iterable[pa.RecordBatch],
    model: Model,
    spec: EngineSpec,
    content_column: str,
    error_column: str,
    counters: Counters | None = None,
) -> Iterator[pa.RecordBatch]:
    """Classify the images of record batches, or compute their features.

    Args:
        batches: Batches of one schema. ``content_column`` holds the image bytes (binary).
            ``error_column``, if present, holds read errors: a row with an error keeps it and is
            not decoded.
        model: A bundle and its session.
        spec: Sizes, limits and the wanted output.
        content_column: Name of the column with the bytes.
        error_column: Name of the column with errors; it may be absent.
        counters: Updated during the run.

    Returns:
        One batch per input batch, with the same rows in the same order. Its columns are those of
        the input without these two, then ``prediction`` (or ``features``, list<float>) and
        ``error``. Exactly one of the last two is not null.

    Raises:
        WrongUseError: UNKNOWN_COLUMN if there is no ``content_column``; NO_FEATURES.
        SightlineError: MODEL_OUTPUT, or MODEL_FAILED if the backend raises on a batch.
    """
    requests = (_request(batch, content_column, error_column) for batch in batches)
    counters = counters or Counters()
    for outcome in infer(requests, model, spec, counters):
        started = time.thread_time()
        names = outcome.kept.schema.names
        kept = [i for i, name in enumerate(names) if name != error_column]
        given = [i for i, name in enumerate(names) if name == error_column]
        columns = [outcome.kept.column(i) for i in kept]
        fields = [outcome.kept.schema.field(i) for i in kept]
        if spec.output == "features":
            columns.append(result.features_column(outcome))
            fields.append(pa.field(FEATURES, arrow_types.FEATURES.field("features").type))
        else:
            columns.append(result.prediction_column(outcome, model.labels))
            fields.append(pa.field(PREDICTION, arrow_types.PREDICTION))
        columns.append(
            result.error_column(outcome, outcome.kept.column(given[0]) if given else None)
        )
        fields.append(pa.field(ERROR, arrow_types.ERROR))
        batch = pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))
        counters.result_cpu_s += time.thread_time() - started
        yield batch


def _request(batch: pa.RecordBatch, content_column: str, error_column: str) -> Request:
    names = batch.schema.names
    if content_column not in names:
        raise WrongUseError(
            "UNKNOWN_COLUMN", f"{content_column!r}. The input has: {', '.join(names)}."
        )
    kept = batch.select([i for i, name in enumerate(names) if name != content_column])
    wanted = (
        np.asarray(batch.column(error_column).is_null())
        if error_column in names
        else np.ones(batch.num_rows, np.bool_)
    )
    return Request(BinaryColumn(batch.column(content_column)), wanted, kept)
