"""The engine's loop: fill model batches, run them in threads, emit results in input order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from sightline.engine.batch_workers import BatchWorkers
from sightline.engine.batches import BATCH_BYTES, ModelBatch, Outcome, Request
from sightline.engine.counters import Counters
from sightline.engine.feeds.feed import Feed
from sightline.engine.heads.head import Head
from sightline.engine.model import Model
from sightline.engine.read_ahead import read_ahead
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError

# A partial model batch is run when more rows than this, or more than QUEUED_BYTES of columns, wait
# behind one of its rows. Otherwise the queue could grow with the input.
_PATIENCE_BATCHES = 4
QUEUED_BYTES = 64 * 1024 * 1024


def infer(
    requests: Iterable[Request],
    model: Model,
    feeds: Sequence[Feed],
    heads: Mapping[str, Head],
    spec: EngineSettings,
    counters: Counters,
) -> Iterator[Outcome]:
    """Infer the wanted rows of each request.

    Model batches are filled across requests. A batch is smaller if some of its rows have errors
    (for example images that cannot be decoded), if its values together reach 16 MiB, or at the
    end of the input.

    Args:
        requests: A thread reads them ahead. Their values are freed after their batch was written.
        model: A bundle and its session.
        feeds: Feeds in the order of the signature's inputs.
        heads: Heads by the name of the output. Only these outputs are computed.
        spec: Sizes and limits.
        counters: Updated during the run.

    Returns:
        One outcome per request, in input order. Every wanted row has a result or an error.
    """
    arrays = [kept for head in heads.values() for kept in head.kept]
    queue: deque[Outcome] = deque()
    rows_queued = bytes_queued = 0
    with BatchWorkers(model, feeds, heads, spec, counters) as workers:
        batch = ModelBatch()
        for request in read_ahead(requests, Request.nbytes, counters):
            outcome = Outcome.empty(len(request.wanted), arrays, request.kept)
            counters.images += outcome.rows
            queue.append(outcome)
            rows_queued += outcome.rows
            bytes_queued += outcome.kept_bytes
            for row in np.flatnonzero(request.wanted).tolist():
                error = _error(request, row)
                if error is not None:
                    outcome.errors[row] = error
                    continue
                batch.add([column[row] for column in request.columns], outcome, row)
                if len(batch) == spec.batch_rows or batch.input_bytes >= BATCH_BYTES:
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


def _error(request: Request, row: int) -> RowError | None:
    for column in request.columns:
        if row in column.errors:
            return column.errors[row]
    return None
