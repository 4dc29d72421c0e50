"""The engine's loop: fill model batches, run them in threads, emit results in input order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from sightline.engine.batch_workers import BatchWorkers
from sightline.engine.batches import Outcome, Request
from sightline.engine.counters import Counters
from sightline.engine.feeds.feed import Feed
from sightline.engine.heads.head import Converter
from sightline.engine.model import Model
from sightline.engine.open_batches import OpenBatches
from sightline.engine.read_ahead import read_ahead
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError

# A partial model batch is run when more rows than this for each thread, or more than QUEUED_BYTES
# of columns, wait behind one of its rows. Otherwise the queue could grow with the input.
_PATIENCE_ROWS = 128
_PATIENCE_BATCHES = 4
QUEUED_BYTES = 32 * 1024 * 1024


def infer(
    requests: Iterable[Request],
    model: Model,
    feeds: Sequence[Feed],
    heads: Mapping[str, Converter],
    spec: EngineSettings,
    counters: Counters,
) -> Iterator[Outcome]:
    """Infer the wanted rows of each request.

    Model batches are filled across requests, with rows of one shape. A batch is smaller if some of
    its rows have errors (for example images that cannot be decoded), if the values of all batches
    that wait for rows would exceed 8 MiB, if too much waits behind it, or at the end of the input.

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
    inputs = model.bundle.manifest.signature.inputs
    queue = _Queue(max(_PATIENCE_ROWS, _PATIENCE_BATCHES * spec.batch_rows) * spec.threads)
    with BatchWorkers(model, feeds, heads, spec, counters) as workers:
        batches = OpenBatches(inputs, spec.batch_rows)
        for request in read_ahead(requests, Request.nbytes, counters):
            outcome = Outcome.empty(len(request.wanted), arrays, request.kept)
            counters.images += outcome.rows
            queue.append(outcome)
            _add_rows(request, outcome, batches, workers)
            batches.detach()
            del request
            workers.finish_done()
            yield from queue.done()
            while queue.is_long(workers.result_bytes):
                workers.submit_all(batches.take(queue.oldest))
                workers.finish_all()
                yield from queue.done()
            if outcome.waiting:
                outcome.detach()
            del outcome
        workers.submit_all(batches.take())
        workers.finish_all()
    yield from queue.done()


class _Queue:
    """The outcomes that wait for results, in input order.

    Args:
        most_rows: Rows that may wait behind the oldest outcome.
    """

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._outcomes: deque[Outcome] = deque()
        self._rows = self._bytes = 0

    @property
    def oldest(self) -> Outcome:
        return self._outcomes[0]

    def append(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._rows += outcome.rows
        self._bytes += outcome.kept_bytes

    def is_long(self, result_bytes: int) -> bool:
        """Whether too many rows or bytes wait behind the oldest outcome.

        Args:
            result_bytes: Bytes of all results that were added to outcomes later.
        """
        if not self._outcomes:
            return False
        oldest = self._outcomes[0]
        return (
            self._rows - oldest.rows > self._most_rows
            or self._bytes + result_bytes - oldest.kept_bytes > QUEUED_BYTES
        )

    def done(self) -> Iterator[Outcome]:
        """Remove and yield the oldest outcomes while they have all their results."""
        while self._outcomes and not self._outcomes[0].waiting:
            outcome = self._outcomes.popleft()
            self._rows -= outcome.rows
            self._bytes -= outcome.kept_bytes
            yield outcome


def _add_rows(
    request: Request, outcome: Outcome, batches: OpenBatches, workers: BatchWorkers
) -> None:
    """Add the wanted rows of a request to batches, and start the batches that are full."""
    for row in np.flatnonzero(request.wanted).tolist():
        error = _error(request, row)
        if error is not None:
            outcome.errors[row] = error
            continue
        found = batches.add(request.columns, outcome, row)
        if isinstance(found, RowError):
            outcome.errors[row] = found
        else:
            workers.submit_all(found)


def _error(request: Request, row: int) -> RowError | None:
    for column in request.columns:
        if row in column.errors:
            return column.errors[row]
    return None
