"""The interface of a feed, which turns column values into rows of an input tensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.signature import Input
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError


class FeedColumn(Protocol):
    """The values of one column of a record batch, for one input of the model."""

    @property
    def errors(self) -> Mapping[int, RowError]:
        """Errors by row, also of NULL rows. Other rows are passed to `Feed.write`."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes of all values, for the memory limits."""
        ...

    def __getitem__(self, row: int) -> Any:  # noqa: ANN401 - the type that `write` accepts
        """Return the value of a row without a copy. It must have an attribute `nbytes`."""
        ...


class ShapedColumn(FeedColumn, Protocol):
    """The values of one column, for an input with free axes."""

    def row_shape(self, row: int) -> tuple[int, ...]:
        """Return the shape that a row without an error has in the input tensor.

        Rows of one shape form a model batch.
        """
        ...


class Feed(Protocol):
    """Makes one input tensor. Several threads may call `write` at once."""

    def open(self, column: pa.Array[Any]) -> FeedColumn:
        """Prepare one column; called in the thread that reads the input.

        For an input with free axes, the result is a `ShapedColumn`.

        Raises:
            WrongUseError: WRONG_COLUMN_TYPE if the column's type does not fit the feed.
        """
        ...

    def write(self, value: Any, out: Array) -> RowError | None:  # noqa: ANN401
        """Write one row of the tensor; called in a worker thread.

        Args:
            value: From the `FeedColumn`.
            out: With the dtype and the shape of one row of the input tensor; overwritten.

        Returns:
            None, or the error of this row. With an error, the content of `out` is not used.

        Raises:
            MemoryError: If the machine has no memory for the value. The run then fails.
        """
        ...


class FeedFactory(Protocol):
    """The class or function that an entry point in the group `sightline.feeds` names."""

    def __call__(self, input_: Input, spec: EngineSettings) -> Feed:
        """Make the feed of one input for one run.

        Args:
            input_: The tensor, and the settings of the feed in `input_.feed`.
            spec: Sizes and limits of the run.

        Raises:
            WrongUseError: INVALID_BUNDLE if the settings are invalid.
        """
        ...
