"""Moments as rows of a table, so that Spark can shuffle them in small pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.components.moments import Moments

# A piece is one row of the upper triangle of the products.
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("part", pa.int64()),
    ("at", pa.int32()),
    ("rows", pa.int64()),
    ("shift", pa.float64()),
    ("offset", pa.float64()),
    ("products", pa.binary()),
]
_SCHEMA = pa.schema(_FIELDS)
_BATCH_BYTES = 8 << 20


def to_batches(part: int, moments: Moments) -> Iterator[pa.RecordBatch]:
    """Yield the pieces of a part in batches of at most about 8 MiB.

    Args:
        part: Number of the part. Parts of one table have different numbers.
        moments: Of the part's vectors.
    """
    features = len(moments.shift)
    step = max(1, _BATCH_BYTES // (8 * features))
    for start in range(0, features, step):
        at = range(start, min(start + step, features))
        these = slice(at.start, at.stop)
        columns: list[pa.Array[Any]] = [
            pa.array([part] * len(at), pa.int64()),
            pa.array(at, pa.int32()),
            pa.array([moments.rows] * len(at), pa.int64()),
            pa.array(moments.shift[these]),
            pa.array(moments.offset[these]),
            pa.array([moments.products[i, i:].tobytes() for i in at], pa.binary()),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def from_batches(batches: Iterable[pa.RecordBatch]) -> Moments | None:
    """Return the merged moments of all parts; None if there are none.

    At most two matrices (features, features) are in memory.

    Args:
        batches: Pieces, sorted by `part` and `at`.
    """
    merged: Moments | None = None
    for part in _parts(batches):
        if merged is None:
            merged = part
        else:
            merged.merge(part)
    return merged


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[Moments]:
    part: Moments | None = None
    for batch in batches:
        numbers = [batch.column(name).to_pylist() for name in ("at", "rows", "shift", "offset")]
        for at, rows, shift, offset, scalar in zip(*numbers, batch.column("products"), strict=True):
            products = np.frombuffer(scalar.as_buffer(), np.float64)
            if part is None or at == 0:
                if part is not None:
                    yield part
                part = _blank(rows, len(products))
            part.shift[at], part.offset[at] = shift, offset
            part.products[at, at:] = products
    if part is not None:
        yield part


def _blank(rows: int, features: int) -> Moments:
    return Moments(rows, np.zeros(features), np.zeros(features), np.zeros((features, features)))
