"""The tensor head for numbers and nested arrays, and the vector head for the features of a row."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.arrow_types import FEATURES, list_of
from sightline.engine.heads.head import BoolArray, Converted, Kept, list_offsets
from sightline.errors import SightlineError

_MOST_NUMBERS = (1 << 31) - 1  # positions in a column are int32
# Spark has no unsigned integers and no float16.
_TYPES: dict[str, pa.DataType] = {
    "float16": pa.float32(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "uint8": pa.int16(),
    "uint16": pa.int32(),
    "uint32": pa.int64(),
    "uint64": pa.decimal128(20, 0),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
}


class TensorHead:
    """Makes one column of the output's values: numbers, or arrays nested to the rank of a row.

    Rows of an output with free axes may have arrays of different lengths.

    Args:
        tensor: The output tensor. Unsigned integers and float16 become the next larger type of
            Spark, and uint64 a decimal(20, 0).
    """

    def __init__(self, tensor: TensorSpec) -> None:
        self.kept = (Kept(tensor.dtype, None if tensor.free_axes else tensor.row_shape),)
        self._dtype = tensor.dtype
        self._element = _TYPES[tensor.dtype]
        self._rank = len(tensor.row_axes)
        type_ = self._element
        for _ in tensor.row_axes:
            type_ = list_of(type_)
        self.fields: Sequence[pa.Field[Any]] = (pa.field(tensor.name, type_),)

    def convert(self, output: Array) -> Converted:
        """Return the unchanged output; NaN and infinity are valid values."""
        return Converted((output,))

    def columns(self, arrays: Sequence[Array], present: BoolArray) -> list[pa.Array[Any]]:
        """Return the column."""
        (values,) = arrays
        self._require_size(values, present)
        if values.dtype == object:
            return [self._nested(list(values[present]), present)]
        shape = values.shape[1:]
        if not shape:
            return [self._elements(values, ~present)]
        values = values[present]
        column = self._elements(values.ravel())
        for axis in reversed(range(1, len(shape))):
            lists = len(values) * prod(shape[:axis])
            offsets = pa.array(np.arange(lists + 1) * shape[axis], pa.int32())
            column = pa.ListArray.from_arrays(offsets, column, type=list_of(column.type))
        return [self._rows(list_offsets(present, shape[0]), column, present)]

    def _require_size(self, values: Array, present: BoolArray) -> None:
        """Raise an error if a column cannot hold the numbers of all rows."""
        rows = np.flatnonzero(present)
        if values.dtype == object:
            count = sum(values[row].size for row in rows.tolist())
        else:
            count = len(rows) * prod(values.shape[1:])
        if count > _MOST_NUMBERS:
            raise SightlineError(
                "RESULT_TOO_LARGE",
                f"the output {self.fields[0].name} has {count:,} numbers in a record batch of "
                f"{len(present):,} rows, but a column can hold only {_MOST_NUMBERS:,}. Use smaller "
                "record batches: with Spark, set spark.sql.execution.arrow.maxRecordsPerBatch.",
            )

    def _nested(self, rows: list[Array], present: BoolArray) -> pa.Array[Any]:
        """Return the column of rows of different shapes."""
        numbers = [one.ravel() for one in rows] or [np.empty(0, self._dtype)]
        column = self._elements(np.concatenate(numbers))
        shapes = np.array([one.shape for one in rows], np.int64).reshape(len(rows), self._rank)
        for axis in reversed(range(1, self._rank)):
            lengths = np.repeat(shapes[:, axis], shapes[:, :axis].prod(axis=1))
            column = pa.ListArray.from_arrays(_offsets(lengths), column, type=list_of(column.type))
        lengths = np.zeros(len(present), np.int64)
        lengths[present] = shapes[:, 0]
        return self._rows(_offsets(lengths), column, present)

    def _rows(
        self, offsets: pa.Int32Array, column: pa.Array[Any], present: BoolArray
    ) -> pa.Array[Any]:
        mask = pa.array(~present)
        return pa.ListArray.from_arrays(offsets, column, type=self.fields[0].type, mask=mask)

    def _elements(self, values: Array, mask: BoolArray | None = None) -> pa.Array[Any]:
        if values.dtype == np.float16:
            values = values.astype(np.float32)
        if values.dtype == np.uint64:  # Arrow makes decimals of its own integers only
            integers: Any = pa.array(values, mask=mask)
            decimals: pa.Array[Any] = integers.cast(self._element)
            return decimals
        return pa.array(values, self._element, mask=mask)


class VectorHead(TensorHead):
    """Makes the column `features`, list<float>.

    Args:
        tensor: The output tensor of floats, (n, length).
    """

    def __init__(self, tensor: TensorSpec) -> None:
        super().__init__(TensorSpec(tensor.name, "float32", tensor.shape))
        self.fields = (FEATURES,)

    def convert(self, output: Array) -> Converted:
        """Return float32 features; a row with a number that is not finite has no result."""
        with np.errstate(over="ignore"):
            features = output.astype(np.float32, copy=False)
        wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
        problem = "The model gave a feature that is NaN or infinite."
        return Converted((features,), dict.fromkeys(wrong.tolist(), problem))


def _offsets(lengths: npt.NDArray[np.int64]) -> pa.Int32Array:
    return pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32())
