"""The order of the samples in an epoch. It depends on the seed and the epoch alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
# Up to this many rows are shuffled together. A larger part is shuffled in blocks, so that a trainer
# with a small cache reads each shard once in an epoch and not once for each sample.
WINDOW_ROWS = 1 << 20
BLOCK_ROWS = 1 << 10


def epoch_order(rows: int, seed: int, epoch: int, window_rows: int = WINDOW_ROWS) -> Rows:
    """Return a permutation of ``0 … rows - 1``.

    With more rows than a window, blocks of consecutive rows are shuffled first. Then the rows of
    each window, which are many whole blocks, are shuffled.

    Args:
        rows: Number of samples.
        seed: Of the run.
        epoch: From 0.
        window_rows: Rows that are shuffled together.

    Returns:
        (rows,) int64.
    """
    random = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    if rows <= window_rows:
        return random.permutation(rows)
    starts = random.permutation(np.arange(0, rows, BLOCK_ROWS, dtype=np.int64))
    blocks = [np.arange(start, min(start + BLOCK_ROWS, rows), dtype=np.int64) for start in starts]
    order = np.concatenate(blocks)
    for start in range(0, rows, window_rows):
        random.shuffle(order[start : start + window_rows])
    return order


def batches(order: Rows, batch_size: int) -> list[Rows]:
    """Divide the order into global batches; the last may be smaller."""
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def share(batch: Rows, rank: int, workers: int) -> Rows:
    """Return the rows of a global batch that one worker takes: every row is taken once."""
    return batch[rank::workers]
