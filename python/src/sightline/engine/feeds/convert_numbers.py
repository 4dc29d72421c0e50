"""Converts the numbers of a column to the dtype of a tensor, exactly or with losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.engine.settings import Casts


class Numbers(NamedTuple):
    """Converted numbers.

    Attributes:
        values: Of the wanted dtype; undefined where `fits` is false.
        fits: Which numbers were converted; None for all.
        given: Returns the number at an index as it was given, for messages.
    """

    values: Array
    fits: npt.NDArray[np.bool_] | None
    given: Callable[[int], object]


def convert_numbers(column: Any, dtype: np.dtype[Any], casts: Casts) -> Numbers:  # noqa: ANN401
    """Convert an Arrow array of numbers or booleans without nulls.

    A dtype of floats accepts all numbers and rounds them to its precision. With ``exact``, a
    number above the largest float does not fit. A dtype of integers or booleans accepts the
    numbers that it represents exactly.

    With ``lossy``, the fraction of a number is dropped, and a number outside the range of the
    dtype becomes the nearest limit. NaN fits only into floats.

    Args:
        column: Integers, floats, decimals or booleans.
        dtype: The dtype of the tensor.
        casts: ``exact`` or ``lossy``.
    """
    if pa.types.is_decimal(column.type):
        if dtype.kind != "f":
            return _of_decimals(column, dtype, casts)
        column = column.cast(pa.float64())
    found: Array = column.to_numpy(zero_copy_only=False)
    if found.dtype == dtype or np.can_cast(found.dtype, dtype, "safe"):
        return Numbers(found.astype(dtype, copy=False), None, found.__getitem__)
    numbers = found.astype(np.float32) if found.dtype == np.float16 else found
    convert = _to_floats if dtype.kind == "f" else _to_integers
    values, fits = convert(numbers, dtype, casts)
    return Numbers(values, None if fits.all() else fits, found.__getitem__)


def _to_floats(
    found: Array, dtype: np.dtype[Any], casts: Casts
) -> tuple[Array, npt.NDArray[np.bool_]]:
    with np.errstate(over="ignore", invalid="ignore"):
        values = found.astype(dtype)
    overflow = np.isinf(values) & np.isfinite(found)
    if casts == "lossy" and overflow.any():
        limit = np.finfo(dtype).max
        values[overflow] = np.where(found[overflow] > 0, limit, -limit)
        overflow[:] = False
    return values, ~overflow


def _to_integers(
    found: Array, dtype: np.dtype[Any], casts: Casts
) -> tuple[Array, npt.NDArray[np.bool_]]:
    least, most = _limits(dtype)
    is_float = found.dtype.kind == "f"
    below = found < least
    # The largest int64 is no float: as a float it is 2**63, which is out of range.
    above = found >= most + 1.0 if is_float else found > most
    number = ~np.isnan(found) if is_float else np.ones(len(found), np.bool_)
    inside = number & ~below & ~above
    whole = np.trunc(found) if is_float else found
    values = np.where(inside, whole, 0).astype(dtype)
    if casts == "lossy":
        values[below], values[above] = least, most
        return values, number
    return values, inside & (whole == found)


def _of_decimals(column: Any, dtype: np.dtype[Any], casts: Casts) -> Numbers:  # noqa: ANN401
    """Convert decimals to integers or booleans, with Python's integers if Arrow cannot."""
    kind, (least, most) = column.type, _limits(dtype)
    if kind.bit_width < 128:  # Arrow rejects a cast of decimal32 to int64
        column = column.cast(pa.decimal128(kind.precision, kind.scale))
    whole = pa.int8() if dtype.kind == "b" else pa.from_numpy_dtype(dtype)
    try:
        found: Array = column.cast(whole).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # a fraction, or out of range
        numbers = column.to_pylist()
        fits = np.array([least <= one <= most and one == int(one) for one in numbers], np.bool_)
        values = np.array([min(max(int(one), least), most) for one in numbers], dtype)
        return Numbers(values, None if casts == "lossy" else fits, numbers.__getitem__)
    values, fits = _to_integers(found, dtype, casts)
    return Numbers(values, None if fits.all() else fits, found.__getitem__)


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)
