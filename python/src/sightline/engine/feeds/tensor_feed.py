"""The tensor feed, for numbers, arrays of numbers, and nested arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.backends.backend import Array
from sightline.bundle.signature import TensorSpec
from sightline.errors import WrongUseError
from sightline.row_error import RowError


class TensorFeed:
    """Makes a tensor of numbers. A row is a number for the shape (n,), else nested arrays.

    A tensor of floats accepts all numbers and rounds them to its precision. A tensor of integers
    or booleans accepts only numbers that it can represent exactly.

    Args:
        tensor: The dtype and the row shape.
    """

    def __init__(self, tensor: TensorSpec) -> None:
        self._tensor = tensor

    def open(self, column: pa.Array[Any]) -> TensorColumn:
        """See `feed.Feed.open`.

        The column contains numbers or booleans, in as many nested lists as a row has axes.
        """
        return TensorColumn(column, self._tensor)

    def write(self, value: Array, out: Array) -> None:
        """Copy one row."""
        out[...] = value


class TensorColumn:
    """The converted rows of one column that fit the tensor, and the errors of the other rows.

    Args:
        column: See `TensorFeed.open`.
        tensor: The dtype and the row shape.

    Raises:
        WrongUseError: WRONG_COLUMN_TYPE.
    """

    def __init__(self, column: pa.Array[Any], tensor: TensorSpec) -> None:
        self.errors: dict[int, RowError] = {}
        self._tensor = tensor
        self._rows = np.arange(len(column))  # rows without an error so far
        if pa.types.is_null(column.type):
            column = column.cast(_list_type(len(tensor.row_shape)))
        values: Any = self._without_nulls(column, 1, "is NULL")
        done = 1  # numbers or lists per row in `values`
        for axis, length in enumerate(tensor.row_shape):
            values = self._of_length(values, done, axis, column.type).flatten()
            done *= length
            values = self._without_nulls(values, done, "has an element that is NULL")
        numbers = self._converted(values, done, column.type)
        self._values = numbers.reshape(-1, *tensor.row_shape)
        self._position = np.full(len(column), -1)
        self._position[self._rows] = np.arange(len(self._rows))

    @property
    def nbytes(self) -> int:
        """Bytes of the converted values."""
        return int(self._values.nbytes)

    def __getitem__(self, row: int) -> Array:
        """Return the numbers of one row without an error, of the tensor's dtype."""
        found: Array = self._values[self._position[row], ...]
        return found

    def _without_nulls(self, values: Any, per_row: int, problem: str) -> Any:  # noqa: ANN401
        if not values.null_count:
            return values
        return self._keep(values, ~np.asarray(values.is_null()), per_row, lambda _: problem)

    def _of_length(self, values: Any, per_row: int, axis: int, type_: pa.DataType) -> Any:  # noqa: ANN401
        kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
        if not any(is_kind(values.type) for is_kind in kinds):
            raise self._wrong_type(type_)
        lengths = np.asarray(pc.list_value_length(values))
        wanted = self._tensor.row_shape[axis]
        fits = lengths == wanted
        if fits.all():
            return values
        where = "" if axis == 0 else f" in axis {axis + 1}"

        def problem(at: int) -> str:
            return f"has {lengths[at]} elements{where}, not {wanted}"

        return self._keep(values, fits, per_row, problem)

    def _converted(self, values: Any, per_row: int, type_: pa.DataType) -> Array:  # noqa: ANN401
        kind = values.type
        if pa.types.is_decimal(kind):
            values, kind = values.cast(pa.float64()), pa.float64()
        if not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        ):
            raise self._wrong_type(type_)
        found: Array = values.to_numpy(zero_copy_only=False)
        dtype = np.dtype(self._tensor.dtype)
        fits = _fits(found, dtype)
        if fits is None:
            return found.astype(dtype, copy=False)
        if not fits.all():
            given = found
            found = self._keep(
                found, fits, per_row, lambda at: f"has an element that is no {dtype}: {given[at]}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            return found.astype(dtype, copy=False)

    def _keep(
        self,
        values: Any,  # noqa: ANN401 - an array of Arrow or of numpy
        fits: npt.NDArray[np.bool_],
        per_row: int,
        problem: Callable[[int], str],
    ) -> Any:  # noqa: ANN401
        """Set the error of rows with an unfit value, and return the values of the other rows.

        `problem` is called with the index in `values` of a row's first unfit value.
        """
        of_rows = fits.reshape(len(self._rows), per_row)
        good = of_rows.all(axis=1)
        for i in np.flatnonzero(~good).tolist():
            first = i * per_row + int(of_rows[i].argmin())
            message = f"The value for the input {self._tensor} {problem(first)}."
            self.errors[int(self._rows[i])] = RowError("INVALID_INPUT", "feed", message)
        self._rows = self._rows[good]
        kept = np.repeat(good, per_row)
        return values[kept] if isinstance(values, np.ndarray) else values.filter(pa.array(kept))

    def _wrong_type(self, type_: pa.DataType) -> WrongUseError:
        levels = len(self._tensor.row_shape)
        wanted = "numbers" if levels == 0 else f"numbers in {levels} nested lists"
        return WrongUseError(
            "WRONG_COLUMN_TYPE",
            f"the column for the input {self._tensor} is {type_}, not {wanted}.",
        )


def _list_type(levels: int) -> pa.DataType:
    type_: pa.DataType = pa.bool_()
    for _ in range(levels):
        type_ = pa.list_(type_)
    return type_


def _fits(found: Array, dtype: np.dtype[Any]) -> npt.NDArray[np.bool_] | None:
    """Return which numbers the dtype can represent; None if it can represent all of this type."""
    if found.dtype == dtype or np.can_cast(found.dtype, dtype, "safe"):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype.kind == "f":  # rounded, but not to infinity
            return np.asarray(np.isfinite(found.astype(dtype)) | ~np.isfinite(found))
        if dtype.kind == "b":
            return np.asarray((found == 0) | (found == 1))
        limits = np.iinfo(dtype)
        if found.dtype.kind == "f":  # int64's limit is not a float: 2**63 is out of range
            whole = np.trunc(found) == found
            return np.asarray(whole & (found >= float(limits.min)) & (found < limits.max + 1.0))
        return np.asarray((found >= limits.min) & (found <= limits.max))
