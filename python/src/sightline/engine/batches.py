"""Requests (input rows), model batches made of their rows, and the results of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.engine.feeds.feed import FeedColumn
from sightline.engine.heads.head import Kept
from sightline.row_error import RowError

# Limit for the encoded images of one model batch: 32 photographs of 250 kB. Larger images take so
# long to decode that a larger batch would not help.
BATCH_BYTES = 8 * 1024 * 1024

RowShapes = tuple[tuple[int, ...], ...]
"""The shape of a row in each input with free axes; empty for a model without free axes."""


@dataclass(slots=True)
class Request:
    """Rows to infer.

    Args:
        columns: The values for each input of the model, in the order of the signature.
        wanted: (rows,) bool, true for the rows to infer. The others get no result.
        kept: The columns that the outcome returns unchanged.
    """

    columns: Sequence[FeedColumn]
    wanted: npt.NDArray[np.bool_]
    kept: pa.RecordBatch

    def nbytes(self) -> int:
        """Return the bytes of the values and of the kept columns."""
        return sum(column.nbytes for column in self.columns) + self.kept.nbytes


@dataclass(slots=True)
class Outcome:
    """The results of a request's rows, filled in while model batches run.

    Args:
        kept: From the request.
        arrays: Arrays of the heads, (rows, …) each; valid only in present rows. If the shape of a
            row is not fixed, (rows,) of arrays.
        present: (rows,) bool, true for the rows with a result.
        errors: Errors by row. At the end, each row is present, has an error, or was not wanted.
        waiting: Number of rows in model batches that have not run yet.
        kept_bytes: Bytes of the kept columns and of the results.
    """

    kept: pa.RecordBatch
    arrays: Sequence[Array]
    present: npt.NDArray[np.bool_]
    errors: dict[int, RowError] = field(default_factory=dict)
    waiting: int = 0
    kept_bytes: int = 0

    @staticmethod
    def empty(rows: int, arrays: Sequence[Kept], kept: pa.RecordBatch) -> Outcome:
        """Return an outcome without results."""
        results = [
            np.empty(rows, object)
            if one.row_shape is None
            else np.zeros((rows, *one.row_shape), one.dtype)
            for one in arrays
        ]
        size = kept.nbytes + sum(one.nbytes for one in results)
        return Outcome(kept, results, np.zeros(rows, np.bool_), kept_bytes=size)

    @property
    def rows(self) -> int:
        """Number of rows of the input batch and of the output batch."""
        return len(self.present)

    def detach(self) -> None:
        """Copy the kept columns, because they share one memory block with the inputs."""
        every_row = np.arange(self.kept.num_rows)
        if self.kept.num_columns:
            self.kept = self.kept.take(every_row)


@dataclass(slots=True)
class ModelBatch:
    """Input values and the output rows of their results.

    Args:
        shapes: For each input with free axes, the shape of a row, which all rows here have.
        outcomes: For each row, the outcome that receives its result.
        rows: For each row, the row in that outcome.
        values: For each row, its value for each input, not copied.
        input_bytes: Total bytes of the values.
    """

    shapes: RowShapes = ()
    outcomes: list[Outcome] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    values: list[Sequence[Any]] = field(default_factory=list)
    input_bytes: int = 0

    def add(self, values: Sequence[Any], size: int, outcome: Outcome, row: int) -> None:
        """Add one row, whose values have `size` bytes."""
        self.values.append(values)
        self.outcomes.append(outcome)
        self.rows.append(row)
        self.input_bytes += size
        outcome.waiting += 1

    def __len__(self) -> int:
        return len(self.rows)

    def finish(self, result: BatchResult) -> int:
        """Store the results in the outcomes.

        Returns:
            The bytes by which `kept_bytes` of the outcomes has grown.
        """
        grown = 0
        for i, error in result.errors.items():
            self.outcomes[i].errors[self.rows[i]] = error
        for at, problem in result.problems.items():
            i = result.written[at]
            self.outcomes[i].errors[self.rows[i]] = RowError("MODEL", "infer", problem)
        good = (at for at in range(len(result.written)) if at not in result.problems)
        for _, group in groupby(good, lambda at: id(self.outcomes[result.written[at]])):
            places = list(group)
            rows = [self.rows[result.written[at]] for at in places]
            outcome = self.outcomes[result.written[places[0]]]
            for kept, found in zip(outcome.arrays, result.arrays, strict=True):
                if kept.dtype != object:
                    kept[rows] = found[places]
                    continue
                size = 0
                for row, at in zip(rows, places, strict=True):
                    kept[row] = found[at]
                    size += kept[row].nbytes
                outcome.kept_bytes += size
                grown += size
            outcome.present[rows] = True
        for outcome in self.outcomes:
            outcome.waiting -= 1
        return grown


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one batch.

    Args:
        arrays: Arrays of the heads with one row per index in `written`, in the same order. An
            array whose rows have different shapes is an array of arrays.
        problems: By position in `written`, the reason why the model gave no result.
        written: Indices in the batch of the rows that the feeds could write and the model could
            run.
        errors: Errors of the other rows, by index in the batch.
        feed_cpu_s: CPU time of the worker thread for the feeds: decoding and resizing.
        infer_cpu_s: CPU time of the worker thread for the model and the heads.
        infer_wall_s: Wall time for the model and the heads.
    """

    arrays: Sequence[Array]
    problems: Mapping[int, str]
    written: list[int]
    errors: dict[int, RowError]
    feed_cpu_s: float
    infer_cpu_s: float
    infer_wall_s: float
