"""The tensor feed, for numbers, arrays of numbers, and nested arrays."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.feeds.tensor_column import FreeTensorColumn, TensorColumn
from sightline.engine.settings import Casts


class TensorFeed:
    """Makes a tensor of numbers. A row is a number for the shape (n,), else nested arrays.

    Args:
        tensor: The dtype and the axes.
        casts: Whether numbers that the dtype cannot represent are changed (``lossy``) or an error
            of their row (``exact``); see `convert_numbers`.
    """

    def __init__(self, tensor: TensorSpec, casts: Casts = "exact") -> None:
        self._tensor = tensor
        self._casts = casts
        self._column = FreeTensorColumn if tensor.free_axes else TensorColumn

    def open(self, column: pa.Array[Any]) -> TensorColumn:
        """See `feed.Feed.open`.

        The column contains numbers or booleans, in as many nested lists as a row has axes.
        """
        return self._column(column, self._tensor, self._casts)

    def write(self, value: Array, out: Array) -> None:
        """Copy one row."""
        out[...] = value
