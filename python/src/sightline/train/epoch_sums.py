"""Which samples an epoch has trained on: evidence that each was taken once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.train.epoch_order import Rows


@dataclass(slots=True)
class EpochSums:
    """Sums of the epoch that has begun, over all workers.

    Args:
        loss: Of the samples' losses.
        rows: Samples of the batches that were trained.
        samples: Samples that the workers report.
        total: Of the samples' rows, as a 64-bit integer that wraps.
        squares: Of the squares of the samples' rows, likewise.
    """

    loss: float = 0.0
    rows: int = 0
    samples: int = 0
    total: int = 0
    squares: int = 0

    def add(self, count: int, total: int, squares: int) -> None:
        """Add what the workers report: see `TrainedRows.values`."""
        self.samples += count
        self.total = _wrapped(self.total + total)
        self.squares = _wrapped(self.squares + squares)

    def has_each_once(self, rows: int) -> bool:
        """Whether these are the sums of the rows ``0 … rows - 1``, each once."""
        whole = TrainedRows()
        whole.add(np.arange(rows, dtype=np.int64))
        return [self.samples, self.total, self.squares] == whole.values()


class TrainedRows:
    """Number, sum and sum of squares of the rows that this worker has trained on."""

    def __init__(self) -> None:
        self._sums = np.zeros(3, np.int64)

    def add(self, rows: Rows) -> None:
        """Add rows."""
        self._sums += np.array([len(rows), rows.sum(), (rows * rows).sum()])

    def values(self) -> list[int]:
        """Return number, sum and sum of squares, as 64-bit integers that wrap."""
        found: list[int] = self._sums.tolist()
        return found


def _wrapped(value: int) -> int:
    """Return the integer as 64 bits with a sign hold it."""
    return (value + 2**63) % 2**64 - 2**63
