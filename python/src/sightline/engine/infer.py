"""The engine's loop: fill model batches, run them in threads, emit results in input order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from sightline.engine.batch_workers import BatchWorkers
from sightline.engine.counters import Counters
from sightline.engine.memory_bounds import BATCH_BYTES, QUEUED_BYTES
from sightline.engine.model import Model
from sightline.engine.model_batch import ModelBatch
from sightline.engine.read_ahead import read_ahead
from sightline.engine.request import Outcome, Request
from sightline.engine.result_type import ResultType
from sightline.engine.spec import EngineSpec
from sightline.row_error import RowError

# A partial model batch is run when more rows than this, or more than QUEUED_BYTES of columns, wait
# behind one of its images. Otherwise the queue could grow with the input.
_PATIENCE_BATCHES = 4


def infer(
    requests: Iterable[Request],
    model: Model,
    spec: EngineSpec,
    result: ResultType,
    counters: Counters,
) -> Iterator[Outcome]:
    """Predict the wanted rows of each request.

    Model batches are filled across requests. A batch is smaller if some of its images cannot be
    decoded, if its images have 16 MiB together, or at the end of the input.

    Args:
        requests: A thread reads them ahead. Their image bytes are freed after decoding.
        model: A bundle and its session.
        spec: Sizes and limits.
        result: The result type.
        counters: Updated during the run.

    Returns:
        One outcome per request, in input order. Every wanted row has a prediction or an error.
    """
    top_k = model.kept(result)
    queue: deque[Outcome] = deque()
    rows_queued = bytes_queued = 0
    with BatchWorkers(model, spec, result, counters) as workers:
        batch = ModelBatch()
        for request in read_ahead(requests, Request.nbytes, counters):
            outcome = Outcome.empty(len(request.wanted), top_k, request.kept)
            counters.images += outcome.rows
            queue.append(outcome)
            rows_queued += outcome.rows
            bytes_queued += outcome.kept_bytes
            for row in np.flatnonzero(request.wanted).tolist():
                if request.contents.is_null[row]:
                    outcome.errors[row] = RowError("EMPTY", "decode", "There are no bytes.")
                    continue
                batch.add(request.contents[row], outcome, row)
                if len(batch) == spec.batch_rows or batch.image_bytes >= BATCH_BYTES:
                    workers.submit(batch)
                    batch = ModelBatch()
            del request
            rows_behind = rows_queued - queue[0].rows
            bytes_behind = bytes_queued - queue[0].kept_bytes
            if (
                rows_behind > _PATIENCE_BATCHES * spec.batch_rows * spec.threads
                or bytes_behind > QUEUED_BYTES
            ):
                if batch:
                    workers.submit(batch)
                    batch = ModelBatch()
                workers.finish_all()
            workers.finish_done()
            while queue and not queue[0].waiting:
                rows_queued -= queue[0].rows
                bytes_queued -= queue[0].kept_bytes
                yield queue.popleft()
            if outcome.waiting:
                outcome.detach()
            del outcome
        if batch:
            workers.submit(batch)
        workers.finish_all()
    yield from queue
