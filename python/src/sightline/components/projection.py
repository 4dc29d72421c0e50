"""Projection of vectors on principal components."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.components.vectors import Floats, blocks


@dataclass(frozen=True, slots=True)
class Projection:
    """A linear map of centred vectors.

    Args:
        vectors: The column of vectors.
        dropped: The columns that the result does not have, among them that of vectors.
        components: The column for the components.
        mean: (features,) float64.
        matrix: (features, k) float64, scale and directions.
    """

    vectors: str
    dropped: list[str]
    components: str
    mean: Floats
    matrix: Floats

    @staticmethod
    def from_json(text: str) -> Projection:
        """Parse the driver's JSON text; its matrices are little-endian float64 in base64."""
        spec = json.loads(text)
        mean, scale = _numbers(spec["mean"]), _numbers(spec["scale"])
        directions = _numbers(spec["directions"]).reshape(-1, len(mean))  # (k, features)
        matrix = np.ascontiguousarray((directions * scale).T)
        return Projection(spec["vectors"], spec["dropped"], spec["components"], mean, matrix)

    def map(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows with components as the last column.

        Components are packed like vectors, see ``blocks``: k float32 numbers of a row.
        """
        features, k = self.matrix.shape
        for rows, values in blocks(batches, self.vectors, features):
            centred = np.subtract(values, self.mean, out=values)
            found = (centred @ self.matrix).astype(np.float32)  # (rows, k)
            offsets = np.arange(0, found.nbytes + 1, 4 * k, dtype=np.int32)
            buffers = [None, *(pa.py_buffer(one.data) for one in (offsets, found))]
            packed: pa.Array[Any] = pa.Array.from_buffers(pa.binary(), len(found), buffers)
            others = rows.drop_columns(self.dropped)
            field: pa.Field[Any] = pa.field(self.components, pa.binary())
            # Spark compares the columns' names, types and whether they can be NULL.
            schema = pa.schema([*others.schema, field])
            yield pa.RecordBatch.from_arrays([*others.columns, packed], schema=schema)


def _numbers(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f8")
