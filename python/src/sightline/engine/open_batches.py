"""The model batches that are not full yet, one for each shape of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.bundle.signature import Input
from sightline.engine.batches import BATCH_BYTES, ModelBatch, Outcome, RowShapes
from sightline.engine.feeds.feed import FeedColumn
from sightline.row_error import RowError


class OpenBatches:
    """Collects rows until a model batch is full. Rows of different shapes are in different batches.

    Args:
        inputs: The inputs of the signature.
        batch_rows: Rows of a full batch.
    """

    def __init__(self, inputs: Sequence[Input], batch_rows: int) -> None:
        self._tensors = [one.tensor for one in inputs]
        self._free = [at for at, one in enumerate(self._tensors) if one.free_axes]
        self._batch_rows = batch_rows
        self._batches: dict[RowShapes, ModelBatch] = {}
        self._bytes = 0
        self._new: list[tuple[ModelBatch, int]] = []  # rows whose values are no copies

    def add(
        self, columns: Sequence[FeedColumn], outcome: Outcome, row: int
    ) -> list[ModelBatch] | RowError:
        """Add a row without an error.

        Args:
            columns: The values for each input.
            outcome: Receives the result of the row.
            row: Index in `columns` and in `outcome`.

        Returns:
            Batches to run: the largest ones, if the values of all batches together would exceed
            8 MiB with the row, and that of the row if it is full. An error if the shapes of the
            row's inputs contradict each other; the row is then not added.
        """
        shapes: RowShapes = ()
        if self._free:
            found = self._shapes_of(columns, row)
            if isinstance(found, RowError):
                return found
            shapes = found
        values = [column[row] for column in columns]
        size = sum(value.nbytes for value in values)
        full = []
        while self._batches and self._bytes + size > BATCH_BYTES:
            full.append(self._take(max(self._batches, key=self._bytes_of)))
        batch = self._batches.get(shapes)
        if batch is None:
            batch = self._batches[shapes] = ModelBatch(shapes)
        if self._free:
            self._new.append((batch, len(batch)))
        batch.add(values, size, outcome, row)
        self._bytes += size
        # A row of that size, or a batch near the limit, need not wait for another row.
        if len(batch) == self._batch_rows or self._bytes >= BATCH_BYTES:
            full.append(self._take(shapes))
        return full

    def take(self, outcome: Outcome | None = None) -> list[ModelBatch]:
        """Remove and return the batches with rows of an outcome, which must be the oldest one.

        Args:
            outcome: None for all batches.
        """
        found = [
            shapes
            for shapes, batch in self._batches.items()
            if outcome is None or batch.outcomes[0] is outcome
        ]
        return [self._take(shapes) for shapes in found]

    def detach(self) -> None:
        """Copy the values of rows with free axes that were added since the last call.

        A value is a part of its column. Without a copy, a small row of a rare shape would keep a
        column of large rows in memory.
        """
        for batch, at in self._new:
            if self._batches.get(batch.shapes) is batch:
                batch.values[at] = [_copy(value) for value in batch.values[at]]
        self._new.clear()

    def _bytes_of(self, shapes: RowShapes) -> int:
        return self._batches[shapes].input_bytes

    def _take(self, shapes: RowShapes) -> ModelBatch:
        batch = self._batches.pop(shapes)
        self._bytes -= batch.input_bytes
        return batch

    def _shapes_of(self, columns: Sequence[FeedColumn], row: int) -> RowShapes | RowError:
        lengths: dict[str, int] = {}
        shapes = []
        for at in self._free:
            column: Any = columns[at]  # a ShapedColumn
            shape = column.row_shape(row)
            bound = self._tensors[at].bind(shape, lengths)
            if bound is None:
                return self._contradiction(at, shape, lengths)
            lengths = bound
            shapes.append(shape)
        return tuple(shapes)

    def _contradiction(self, at: int, shape: tuple[int, ...], lengths: dict[str, int]) -> RowError:
        """Return the error of a row whose input `at` does not fit its axes or the other inputs."""
        tensor = self._tensors[at]
        text = ", ".join(map(str, shape))
        message = f"The value for the input {tensor} has the shape ({text})."
        for axis, length in zip(tensor.row_axes, shape, strict=False):
            if isinstance(axis, str) and lengths.get(axis, length) != length:
                other = next(
                    self._tensors[i].name
                    for i in self._free
                    if axis in self._tensors[i].free_axes and self._tensors[i].name != tensor.name
                )
                message = (
                    f"The axis {axis} must have one length in a row, but the input {other} has "
                    f"{lengths[axis]} elements there and the input {tensor.name} has {length}."
                )
                break
        return RowError("INVALID_INPUT", "feed", message)


def _copy(value: Any) -> Any:  # noqa: ANN401 - of any feed
    if isinstance(value, np.ndarray):
        return value.copy()
    return memoryview(bytes(value)) if isinstance(value, memoryview) else value
