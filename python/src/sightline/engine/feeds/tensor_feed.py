"""The tensor feed, for numbers, arrays of numbers, and nested arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
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
        levels = len(tensor.row_shape)
        values: Any = self._without_nulls(column, 1, "is NULL")
        done = 1  # numbers or lists per row in `values`
        for axis, length in enumerate(tensor.row_shape):
            values = _as_lists(values, levels - axis)
            values = self._of_length(values, done, axis, column.type).flatten()
            done *= length
            values = self._without_nulls(values, done, "has an element that is NULL")
        numbers = self._converted(_as_lists(values, 0), done, column.type)
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
            elements = "element" if lengths[at] == 1 else "elements"
            return f"has {lengths[at]} {elements}{where}, not {wanted}"

        return self._keep(values, fits, per_row, problem)

    def _converted(self, values: Any, per_row: int, type_: pa.DataType) -> Array:  # noqa: ANN401
        dtype = np.dtype(self._tensor.dtype)
        if pa.types.is_decimal(values.type):
            values = self._without_decimals(values, per_row, dtype)
        kind = values.type
        if not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        ):
            raise self._wrong_type(type_)
        found: Array = values.to_numpy(zero_copy_only=False)
        fits = _fits(found, dtype)
        if fits is None:
            return found.astype(dtype, copy=False)
        if not fits.all():
            found = self._keep(found, fits, per_row, _unfit(found, dtype))
        with np.errstate(over="ignore", invalid="ignore"):
            return found.astype(dtype, copy=False)

    def _without_decimals(self, values: Any, per_row: int, dtype: np.dtype[Any]) -> Any:  # noqa: ANN401
        """Convert decimals to float64 for a dtype of floats, else to integers, without rounding."""
        if dtype.kind == "f":
            return values.cast(pa.float64())
        kind = values.type
        if kind.bit_width < 128:  # Arrow rejects a cast of decimal32 to int64
            values = values.cast(pa.decimal128(kind.precision, kind.scale))
        whole = np.dtype(np.int8) if dtype.kind == "b" else dtype
        integer, limits = pa.from_numpy_dtype(whole), np.iinfo(whole)
        try:
            return values.cast(integer)
        except pa.ArrowInvalid:  # a fraction, or out of range
            numbers = values.to_pylist()
        least, most = int(limits.min), int(limits.max)
        fits = np.array([least <= one <= most and one == int(one) for one in numbers], np.bool_)
        return self._keep(values, fits, per_row, _unfit(numbers, dtype)).cast(integer)

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
        wanted = "numbers" if levels == 0 else f"lists of numbers, nested {levels} deep"
        return WrongUseError(
            "WRONG_COLUMN_TYPE",
            f"the column for the input {self._tensor} is {type_}, not {wanted}.",
        )


def _as_lists(values: Any, levels: int) -> Any:  # noqa: ANN401 - an Arrow array
    """Return an array without a type, which contains only nulls, as nested lists of booleans."""
    if not pa.types.is_null(values.type):
        return values
    type_: pa.DataType = pa.bool_()
    for _ in range(levels):
        type_ = pa.list_(type_)
    return values.cast(type_)


def _unfit(numbers: Array | list[Any], dtype: np.dtype[Any]) -> Callable[[int], str]:
    return lambda at: f"has the element {numbers[at]}, which {dtype} cannot hold"


def _fits(found: Array, dtype: np.dtype[Any]) -> npt.NDArray[np.bool_] | None:
    """Return which numbers the dtype can represent; None if it can represent all of this type."""
    if found.dtype == dtype or np.can_cast(found.dtype, dtype, "safe"):
        return None
    if found.dtype == np.float16:  # the limits of integers are infinite in float16
        found = found.astype(np.float32)
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
