"""The interface of a head, which turns an output tensor into result columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.bundle import Bundle
from sightline.bundle.signature import Output

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Kept:
    """The declaration of one array that is kept for each record batch until its columns are made.

    Args:
        dtype: numpy's name of the element type.
        row_shape: Shape of one row; None if rows may have different shapes.
    """

    dtype: str
    row_shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Converted:
    """The arrays that a head keeps of some rows of an output tensor.

    Args:
        arrays: One for each `Head.kept`, (n, *row_shape). If `row_shape` is None, the n rows have
            any shape, but one shape.
        problems: By row, the reason why it has no result. It becomes an error MODEL of the row.
    """

    arrays: Sequence[Array]
    problems: Mapping[int, str] = field(default_factory=dict)


class Converter(Protocol):
    """Reduces one output tensor. Several threads may call `convert` at once."""

    @property
    def kept(self) -> Sequence[Kept]:
        """Declarations of the arrays that `convert` returns."""
        ...

    def convert(self, output: Array) -> Converted:
        """Reduce the output to the values that the columns need; called in a worker thread.

        Args:
            output: (n, …) with the dtype and the axes of the output tensor; n may be 0.
        """
        ...


class Head(Converter, Protocol):
    """Makes result columns of one output tensor."""

    @property
    def fields(self) -> Sequence[pa.Field[Any]]:
        """Names and types of the columns. The element of a list is named `element`, as in Spark."""
        ...

    def columns(self, arrays: Sequence[Array], present: BoolArray) -> Sequence[pa.Array[Any]]:
        """Make the columns of one record batch.

        Args:
            arrays: One for each `kept`, (rows, *row_shape); valid only in the present rows. If
                `row_shape` is None, (rows,) of arrays.
            present: (rows,) bool, true for rows with a result.

        Returns:
            One array for each of `fields` with `rows` values, NULL in rows that are not present.
        """
        ...


class HeadFactory(Protocol):
    """The class or function that an entry point in the group `sightline.heads` names."""

    def __call__(self, output: Output, bundle: Bundle) -> Head:
        """Make the head of one output for one run.

        Args:
            output: The tensor, and the settings of the head in `output.head`.
            bundle: The bundle with the files that the settings name.

        Raises:
            WrongUseError: INVALID_BUNDLE if the settings are invalid.
        """
        ...


def list_offsets(present: BoolArray, length: int) -> pa.Int32Array:
    """Return (rows + 1,) offsets of lists: `length` elements in present rows, none in others."""
    lengths = np.where(present, length, 0)
    return pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32())
