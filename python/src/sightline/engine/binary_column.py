"""Reads encoded images from an Arrow column without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


class BinaryColumn:
    """A binary Arrow array whose values are read as memoryviews, without a copy.

    Args:
        array: Binary or large binary; any other type is cast to large binary.
    """

    def __init__(self, array: pa.Array[Any]) -> None:
        if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
            array = array.cast(pa.large_binary())
        offset_type = np.int64 if pa.types.is_large_binary(array.type) else np.int32
        _, offsets, data = array.buffers()
        rows = len(array)
        self.is_null = np.asarray(array.is_null())  # (rows,) bool
        self._data = memoryview(data) if data is not None else memoryview(b"")
        self._offsets = (
            np.frombuffer(
                memoryview(offsets), offset_type, rows + 1, array.offset * offset_type().itemsize
            )
            if offsets is not None and rows
            else np.zeros(1, offset_type)
        )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @property
    def nbytes(self) -> int:
        """Total bytes of the values."""
        return int(self._offsets[-1] - self._offsets[0])

    def __getitem__(self, row: int) -> memoryview:
        """Return the bytes of one row; empty for a null row."""
        return self._data[self._offsets[row] : self._offsets[row + 1]]
