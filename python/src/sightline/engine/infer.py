"""The engine's loop: decode, gather, run the model, and give results in the order of input."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from sightline.engine.decode import decode
from sightline.engine.model import Model
from sightline.engine.model_batch import ModelBatch
from sightline.engine.request import Outcome, Request
from sightline.engine.spec import EngineSpec
from sightline.row_error import RowError

# When the oldest input batch waits for a few more images and errors are all that comes, its
# model batch is run as it is: what waits must not grow with the input.
_PATIENCE_BATCHES = 4


def infer(requests: Iterable[Request], model: Model, spec: EngineSpec) -> Iterator[Outcome]:
    """Predict the wanted rows of each request.

    Model batches are filled across requests; the last one may be smaller.

    Args:
        requests: Read one at a time; their image bytes are not held once decoded.
        model: From a bundle and its session.
        spec: Sizes and caps.

    Returns:
        One outcome for each request, in their order, every wanted row predicted or in error.
    """
    classes = model.bundle.manifest.classes
    top_k = min(spec.top_k or classes, classes)
    batch = ModelBatch(model, spec.batch_rows, top_k)
    queue: deque[Outcome] = deque()
    for request in requests:
        outcome = Outcome.empty(len(request.wanted), top_k, request.kept)
        queue.append(outcome)
        _decode_rows(request, outcome, batch, spec)
        del request
        rows_behind = sum(later.rows for later in queue) - queue[0].rows
        if rows_behind > _PATIENCE_BATCHES * spec.batch_rows:
            batch.run()
        while queue and not queue[0].waiting:
            yield queue.popleft()
        if outcome.waiting:
            outcome.detach()
        del outcome
    batch.run()
    yield from queue


def _decode_rows(request: Request, outcome: Outcome, batch: ModelBatch, spec: EngineSpec) -> None:
    for row in np.flatnonzero(request.wanted).tolist():
        if request.contents.is_null[row]:
            outcome.errors[row] = RowError("EMPTY", "decode", "There are no bytes.")
            continue
        decoded = decode(request.contents[row], spec)
        if isinstance(decoded, RowError):
            outcome.errors[row] = decoded
        else:
            batch.add(decoded, outcome, row)
