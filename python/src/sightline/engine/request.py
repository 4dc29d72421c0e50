"""One input batch and its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.engine.feeds.feed import FeedColumn
from sightline.engine.heads.head import Kept
from sightline.row_error import RowError


@dataclass(slots=True)
class Request:
    """Rows to infer.

    Args:
        columns: The values for each input of the model, in the order of the signature.
        wanted: (rows,) bool, true for the rows to infer. The others get no result.
        kept: The columns that are returned unchanged with the outcome.
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
        arrays: What the heads keep of each row, (rows, …) each; valid only in present rows.
        present: (rows,) bool, true for the rows with a result.
        errors: By row. In the end, a row is present, has an error, or was not wanted.
        waiting: Number of rows in model batches that have not run yet.
        kept_bytes: Bytes of the kept columns.
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
        return Outcome(
            kept,
            [np.zeros((rows, *one.row_shape), one.dtype) for one in arrays],
            np.zeros(rows, np.bool_),
            kept_bytes=kept.nbytes,
        )

    @property
    def rows(self) -> int:
        """Number of rows of the input batch and of the output batch."""
        return len(self.present)

    def detach(self) -> None:
        """Copy the kept columns, because they share one memory block with the inputs."""
        every_row = np.arange(self.kept.num_rows)
        if self.kept.num_columns:
            self.kept = self.kept.take(every_row)
