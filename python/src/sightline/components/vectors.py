"""Vectors of a record batch as matrices of limited height."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]

# Enough that the matrix product, and not the addition to the sums, takes the time.
BLOCK_ROWS = 2048


def blocks(
    batches: Iterable[pa.RecordBatch], column: str
) -> Iterator[tuple[pa.RecordBatch, Floats]]:
    """Yield the batches in slices of at most 2,048 rows, each with its vectors.

    Args:
        batches: They have a column of lists of floats, all of the same length and none NULL.
        column: The name of that column.

    Yields:
        The slice, and its vectors (rows, features) float64, a copy. A NULL number is NaN.
    """
    for batch in batches:
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            rows = batch.slice(start, BLOCK_ROWS)
            lists: pa.ListArray[Any] = rows.column(column)  # type: ignore[assignment]
            numbers = lists.flatten().to_numpy(zero_copy_only=False)
            yield rows, numbers.reshape(rows.num_rows, -1).astype(np.float64)
