"""The values of a column for a tensor feed: nested lists of numbers, checked and converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.feeds.convert_numbers import convert_numbers
from sightline.engine.settings import Casts
from sightline.errors import WrongUseError
from sightline.row_error import RowError

_Flags = npt.NDArray[np.bool_]
_Lengths = npt.NDArray[np.int64]


class TensorColumn:
    """The converted rows of one column that fit the tensor, and the errors of the other rows.

    The rows have the shape of the tensor. `FreeTensorColumn` is for tensors with free axes.

    Args:
        column: See `TensorFeed.open`.
        tensor: The dtype and the axes.
        casts: See `convert_numbers`.

    Raises:
        WrongUseError: WRONG_COLUMN_TYPE.
    """

    def __init__(self, column: pa.Array[Any], tensor: TensorSpec, casts: Casts = "exact") -> None:
        self.errors: dict[int, RowError] = {}
        self._tensor = tensor
        levels = len(tensor.row_axes)
        self._rows = np.arange(len(column))  # rows without an error so far
        # For each of these rows: the elements at the level that is being read, and the lengths of
        # its axes as far as they have been read.
        self._counts: _Lengths = np.ones(len(column), np.int64)
        self._shapes: _Lengths = np.zeros((len(column), levels), np.int64)
        values: Any = self._without_nulls(column, "is NULL")
        for axis in range(levels):
            values = _as_lists(values, levels - axis)
            values = self._of_length(values, axis, column.type).flatten()
            values = self._without_nulls(values, "has an element that is NULL")
        self._store(self._converted(_as_lists(values, 0), column.type, casts))
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

    def _store(self, numbers: Array) -> None:
        self._values = numbers.reshape(-1, *self._tensor.row_shape)

    def _without_nulls(self, values: Any, problem: str) -> Any:  # noqa: ANN401
        if not values.null_count:
            return values
        return self._keep(values, ~np.asarray(values.is_null()), lambda _: problem)

    def _of_length(self, values: Any, axis: int, type_: pa.DataType) -> Any:  # noqa: ANN401
        """Check the lengths of the lists at one level, and return the lists of the good rows."""
        kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
        if not any(is_kind(values.type) for is_kind in kinds):
            raise self._wrong_type(type_)
        lengths = np.asarray(pc.list_value_length(values)).astype(np.int64, copy=False)
        name = self._tensor.row_axes[axis]
        if isinstance(name, int):
            self._shapes[:, axis] = name
            fits, problem = lengths == name, _wrong_length(lengths, name, axis)
        else:
            of_rows = self._free_lengths(lengths, axis)
            self._shapes[:, axis] = of_rows
            wanted = of_rows if axis == 0 else np.repeat(of_rows, self._counts)
            fits = (lengths == wanted) & (lengths > 0)
            problem = _ragged(lengths, wanted, name, axis)
        if not fits.all():
            values = self._keep(values, fits, problem)
        self._counts = self._counts * self._shapes[:, axis]
        return values

    def _free_lengths(self, lengths: _Lengths, axis: int) -> _Lengths:
        """Return the length that a free axis has in each row: that of the row's first list."""
        axes = self._tensor.row_axes
        earlier = axes.index(axes[axis])
        if earlier < axis:  # the same name means the same length
            same: _Lengths = self._shapes[:, earlier]
            return same
        first: _Lengths = lengths[np.cumsum(self._counts) - self._counts]
        return first

    def _converted(self, values: Any, type_: pa.DataType, casts: Casts) -> Array:  # noqa: ANN401
        kind = values.type
        is_kind = (
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_boolean,
            pa.types.is_decimal,
        )
        if not any(one(kind) for one in is_kind):
            raise self._wrong_type(type_)
        dtype = np.dtype(self._tensor.dtype)
        numbers = convert_numbers(values, dtype, casts)
        if numbers.fits is None:
            return numbers.values

        def problem(at: int) -> str:
            return f"has the element {numbers.given(at)}, which {dtype} cannot hold"

        kept: Array = self._keep(numbers.values, numbers.fits, problem)
        return kept

    def _keep(
        self,
        values: Any,  # noqa: ANN401 - an array of Arrow or of numpy
        fits: _Flags,
        problem: Callable[[int], str],
    ) -> Any:  # noqa: ANN401
        """Set the error of rows with an unfit value, and return the values of the other rows.

        `problem` is called with the index in `values` of a row's first unfit value.
        """
        unfit = np.flatnonzero(~fits)
        of_rows = np.searchsorted(np.cumsum(self._counts), unfit, "right")
        bad, first = np.unique(of_rows, return_index=True)
        for i, at in zip(bad.tolist(), unfit[first].tolist(), strict=True):
            message = f"The value for the input {self._tensor} {problem(at)}."
            self.errors[int(self._rows[i])] = RowError("INVALID_INPUT", "feed", message)
        good = np.ones(len(self._rows), np.bool_)
        good[bad] = False
        kept = np.repeat(good, self._counts)
        self._rows, self._shapes = self._rows[good], self._shapes[good]
        self._counts = self._counts[good]
        return values[kept] if isinstance(values, np.ndarray) else values.filter(pa.array(kept))

    def _wrong_type(self, type_: pa.DataType) -> WrongUseError:
        levels = len(self._tensor.row_axes)
        wanted = "numbers" if levels == 0 else f"lists of numbers, nested {levels} deep"
        return WrongUseError(
            "WRONG_COLUMN_TYPE",
            f"the column for the input {self._tensor} is {type_}, not {wanted}.",
        )


class FreeTensorColumn(TensorColumn):
    """The rows of one column for a tensor with free axes. Each row has a shape of its own."""

    def row_shape(self, row: int) -> tuple[int, ...]:
        """Return the shape of one row without an error."""
        at = int(self._position[row])
        return self._row_shapes[at]

    def __getitem__(self, row: int) -> Array:
        """Return the numbers of one row without an error, of the tensor's dtype."""
        at = self._position[row]
        found: Array = self._values[self._starts[at] : self._starts[at + 1]]
        return found.reshape(self._row_shapes[at])

    def _store(self, numbers: Array) -> None:
        self._values = numbers
        self._starts = np.concatenate(([0], np.cumsum(self._counts)))
        self._row_shapes: list[tuple[int, ...]] = [tuple(one) for one in self._shapes.tolist()]


def _wrong_length(lengths: _Lengths, wanted: int, axis: int) -> Callable[[int], str]:
    where = "" if axis == 0 else f" in axis {axis + 1}"
    return lambda at: f"has {_elements(lengths[at])}{where}, not {wanted}"


def _ragged(lengths: _Lengths, wanted: _Lengths, name: str, axis: int) -> Callable[[int], str]:
    where = f"axis {axis + 1} ({name})"

    def problem(at: int) -> str:
        if lengths[at] == wanted[at]:
            return f"has 0 elements in {where}, which must have at least 1"
        return f"has lists of {wanted[at]} and of {_elements(lengths[at])} in {where}"

    return problem


def _elements(length: int) -> str:
    return f"{length} element" if length == 1 else f"{length} elements"


def _as_lists(values: Any, levels: int) -> Any:  # noqa: ANN401 - an Arrow array
    """Return an array without a type, which contains only nulls, as nested lists of booleans."""
    if not pa.types.is_null(values.type):
        return values
    type_: pa.DataType = pa.bool_()
    for _ in range(levels):
        type_ = pa.list_(type_)
    return values.cast(type_)
