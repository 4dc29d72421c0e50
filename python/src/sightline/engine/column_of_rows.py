"""Makes an Arrow column of rows that are numbers, nested lists or numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.row_error import RowError


def column_of_rows(rows: Sequence[Any] | Array, tensor: TensorSpec) -> pa.Array[Any]:
    """Return a column for a tensor feed. The feed checks lengths and numbers of each row.

    Args:
        rows: A numpy array (rows, …), or a sequence with a number, a nested list, a numpy array
            or None for each row.
        tensor: The tensor of the input, for messages.

    Raises:
        WrongUseError: WRONG_COLUMN_TYPE if the rows have no common type.
    """
    try:
        if isinstance(rows, np.ndarray) and rows.dtype != object:
            return _of_array(rows)
        arrays = [one for one in rows if isinstance(one, np.ndarray)]
        if arrays and len(arrays) == len(rows) and _are_alike(arrays):
            return _of_arrays(arrays)
        return _of_values(
            [one.tolist() if isinstance(one, np.ndarray) else one for one in rows],
            len(tensor.row_axes),
        )
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise WrongUseError(
            "WRONG_COLUMN_TYPE",
            f"the rows for the input {tensor} are not numbers or nested lists of one type: {error}",
        ) from error


def columns_of_runs(
    rows: Sequence[Any] | Array, tensor: TensorSpec
) -> tuple[list[pa.Array[Any]], dict[int, RowError]]:
    """Return columns for rows that have no common type, and the errors of rows that do not fit.

    A row that is not numbers, nested as deeply as the tensor, is NULL in its column.

    Args:
        rows: As for `column_of_rows`.
        tensor: The tensor of the input.

    Returns:
        Columns of one row or more, which have together the rows in their order; and the error of
        each row that does not fit, by its index.
    """
    columns: list[list[pa.Array[Any]]] = []
    errors: dict[int, RowError] = {}
    for at, row in enumerate(rows):
        column, problem = _of_row(row, tensor)
        if problem:
            message = f"The value for the input {tensor} {problem}."
            errors[at] = RowError("INVALID_INPUT", "feed", message)
        if columns and columns[-1][0].type == column.type:
            columns[-1].append(column)
        else:
            columns.append([column])
    return [pa.concat_arrays(one) for one in columns], errors


def _of_row(row: object, tensor: TensorSpec) -> tuple[pa.Array[Any], str]:
    """Return a column of one row, and why it does not fit, if so."""
    levels = len(tensor.row_axes)
    wanted = "a number" if levels == 0 else f"a list of numbers, nested {levels} deep"
    try:
        column = column_of_rows([row], tensor)
    except WrongUseError:
        return pa.nulls(1), f"is not {wanted}, or has numbers of several types"
    kind: Any = column.type
    for _ in range(levels):
        if pa.types.is_null(kind):
            break
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            return pa.nulls(1), f"is {kind}, not {wanted}"
        kind = kind.value_type
    types = pa.types
    is_known = (types.is_null, types.is_integer, types.is_floating, types.is_boolean)
    if not any(one(kind) for one in (*is_known, types.is_decimal)):
        return pa.nulls(1), f"is {column.type}, not {wanted}"
    return column, ""


def _of_values(rows: list[Any], rank: int) -> pa.Array[Any]:
    try:
        values: pa.Array[Any] = pa.array(rows)
    except OverflowError:  # an integer above the largest int64
        type_: pa.DataType = pa.decimal128(38, 0)
        for _ in range(rank):
            type_ = pa.list_(type_)
        values = pa.array(rows, type_)
    return values


def _are_alike(rows: Sequence[Array]) -> bool:
    kinds = {(one.dtype, one.ndim) for one in rows}
    return len(kinds) == 1 and rows[0].ndim > 0


def _of_array(rows: Array) -> pa.Array[Any]:
    column: pa.Array[Any] = pa.array(rows.ravel())
    shape = rows.shape
    for axis in reversed(range(1, len(shape))):
        lists = int(np.prod(shape[:axis], dtype=np.int64))
        offsets = pa.array(np.arange(lists + 1) * shape[axis], pa.int64())
        column = pa.LargeListArray.from_arrays(offsets, column)
    return column


def _of_arrays(rows: Sequence[Array]) -> pa.Array[Any]:
    """Return the column of arrays of one dtype and one rank, at least 1."""
    column: pa.Array[Any] = pa.array(np.concatenate([one.ravel() for one in rows]))
    shapes = np.array([one.shape for one in rows], np.int64)
    for axis in reversed(range(shapes.shape[1])):
        lengths = np.repeat(shapes[:, axis], shapes[:, :axis].prod(axis=1))
        offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int64())
        column = pa.LargeListArray.from_arrays(offsets, column)
    return column
