"""One input batch and its results."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Float32Array
from sightline.engine.binary_column import BinaryColumn
from sightline.row_error import RowError


@dataclass(slots=True)
class Request:
    """Images to predict.

    Args:
        contents: The encoded images.
        wanted: (rows,) bool, true for the rows to predict. The others get no prediction.
        kept: The columns that are returned unchanged with the outcome.
    """

    contents: BinaryColumn
    wanted: npt.NDArray[np.bool_]
    kept: pa.RecordBatch

    def nbytes(self) -> int:
        """Return the bytes of the encoded images and of the kept columns."""
        return self.contents.nbytes + self.kept.nbytes


@dataclass(slots=True)
class Outcome:
    """The results of a request's rows, filled in while model batches run.

    Args:
        kept: From the request.
        class_ids: (rows, k) int32, best first; valid only in predicted rows.
        scores: (rows, k) float32; valid only in predicted rows.
        predicted: (rows,) bool.
        errors: By row. In the end, a row is predicted, has an error, or was not wanted.
        waiting: Number of rows in model batches that have not run yet.
        kept_bytes: Bytes of the kept columns.
    """

    kept: pa.RecordBatch
    class_ids: npt.NDArray[np.int32]
    scores: Float32Array
    predicted: npt.NDArray[np.bool_]
    errors: dict[int, RowError] = field(default_factory=dict)
    waiting: int = 0
    kept_bytes: int = 0

    @staticmethod
    def empty(rows: int, top_k: int, kept: pa.RecordBatch) -> Outcome:
        """Return an outcome without predictions."""
        return Outcome(
            kept,
            np.zeros((rows, top_k), np.int32),
            np.zeros((rows, top_k), np.float32),
            np.zeros(rows, np.bool_),
            kept_bytes=kept.nbytes,
        )

    @property
    def rows(self) -> int:
        """Number of rows of the input batch and of the output batch."""
        return len(self.predicted)

    def detach(self) -> None:
        """Copy the kept columns, because they share one memory block with the image bytes."""
        every_row = np.arange(self.kept.num_rows)
        if self.kept.num_columns:
            self.kept = self.kept.take(every_row)
