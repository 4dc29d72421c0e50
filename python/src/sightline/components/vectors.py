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
    batches: Iterable[pa.RecordBatch], column: str, features: int
) -> Iterator[tuple[pa.RecordBatch, Floats]]:
    """Yield the batches in slices of at most 2,048 rows, each with its vectors.

    Args:
        batches: They have a column of vectors, each the bytes of float32 or float64 numbers in
            the machine's byte order; all are of one type, and none is NULL.
        column: The name of that column.
        features: Length of the vectors, at least 1.

    Yields:
        The slice, and its vectors (rows, features) float64, a copy.

    Raises:
        ValueError: If vectors have another length.
    """
    for batch in batches:
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            rows = batch.slice(start, BLOCK_ROWS)
            yield rows, _matrix(rows.column(column), features)


def _matrix(vectors: pa.Array[Any], features: int) -> Floats:
    packed = vectors.cast(pa.large_binary())
    buffers: list[Any] = packed.buffers()  # validity, offsets, data
    first = packed.offset
    bounds = np.frombuffer(buffers[1], np.int64)[first : first + len(packed) + 1]
    sizes = np.unique(np.diff(bounds))
    number = {4 * features: np.float32, 8 * features: np.float64}.get(int(sizes[0]))
    if len(sizes) > 1 or number is None:
        raise ValueError(f"vectors of {sizes.tolist()} bytes are not of {features} numbers")
    data = np.frombuffer(buffers[2], np.uint8)[bounds[0] : bounds[-1]]
    values: Floats = data.view(number).reshape(-1, features).astype(np.float64)
    return values
