"""The tensor head for numbers and nested arrays, and the vector head for the features of a row."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.arrow_types import FEATURES, list_of
from sightline.engine.heads.head import BoolArray, Converted, Kept, list_offsets

# Spark has no unsigned integers.
_TYPES: dict[str, pa.DataType] = {
    "float32": pa.float32(),
    "float64": pa.float64(),
    "uint8": pa.int16(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
}


class TensorHead:
    """Makes one column of the output's values: numbers, or arrays nested to the rank of a row.

    Args:
        tensor: The output tensor. An array of uint8 becomes an array of int16.
    """

    def __init__(self, tensor: TensorSpec) -> None:
        self.kept = (Kept(tensor.dtype, tensor.row_shape),)
        self._element = _TYPES[tensor.dtype]
        type_ = self._element
        for _ in tensor.row_shape:
            type_ = list_of(type_)
        self.fields: Sequence[pa.Field[Any]] = (pa.field(tensor.name, type_),)

    def convert(self, output: Array) -> Converted:
        """Return the unchanged output; NaN and infinity are valid values."""
        return Converted((output,))

    def columns(self, arrays: Sequence[Array], present: BoolArray) -> list[pa.Array[Any]]:
        """Return the column."""
        (values,) = arrays
        shape = values.shape[1:]
        if not shape:
            return [pa.array(values, self._element, mask=~present)]
        values = values[present]
        column: pa.Array[Any] = pa.array(values.ravel(), self._element)
        for axis in reversed(range(1, len(shape))):
            lists = len(values) * prod(shape[:axis])
            offsets = pa.array(np.arange(lists + 1) * shape[axis], pa.int32())
            column = pa.ListArray.from_arrays(offsets, column, type=list_of(column.type))
        offsets = list_offsets(present, shape[0])
        mask = pa.array(~present)
        return [pa.ListArray.from_arrays(offsets, column, type=self.fields[0].type, mask=mask)]


class VectorHead(TensorHead):
    """Makes the column `features`, list<float>.

    Args:
        tensor: The output tensor, float32 (n, length).
    """

    def __init__(self, tensor: TensorSpec) -> None:
        super().__init__(tensor)
        self.fields = (FEATURES,)

    def convert(self, output: Array) -> Converted:
        """Return the features; a row with a number that is not finite has no result."""
        wrong = np.flatnonzero(~np.isfinite(output).all(axis=1))
        problem = "The model gave a feature that is NaN or infinite."
        return Converted((output,), dict.fromkeys(wrong.tolist(), problem))
