"""One input batch on its way through the engine."""

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
        wanted: (rows,) bool: which of them to predict; the rest stay without a prediction.
        kept: The columns that come back with the outcome, untouched.
    """

    contents: BinaryColumn
    wanted: npt.NDArray[np.bool_]
    kept: pa.RecordBatch

    def nbytes(self) -> int:
        """Bytes of the encoded images and of the columns that are kept."""
        return self.contents.nbytes + self.kept.nbytes


@dataclass(slots=True)
class Outcome:
    """What became of a request's rows; filled in while model batches run.

    Args:
        kept: From the request.
        class_ids: (rows, k) int32, best first; only rows that are predicted mean anything.
        scores: (rows, k) float32.
        predicted: (rows,) bool.
        errors: By row. A row is predicted, or has an error, or was not wanted.
        waiting: Rows that are in a model batch which has not run yet.
        kept_bytes: Of the columns that are kept.
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
        """Nothing predicted yet."""
        return Outcome(
            kept,
            np.zeros((rows, top_k), np.int32),
            np.zeros((rows, top_k), np.float32),
            np.zeros(rows, np.bool_),
            kept_bytes=kept.nbytes,
        )

    @property
    def rows(self) -> int:
        """Rows of the input batch, and of the output batch."""
        return len(self.predicted)

    def detach(self) -> None:
        """Copy the kept columns: they share one memory block with the image bytes."""
        every_row = np.arange(self.kept.num_rows)
        if self.kept.num_columns:
            self.kept = self.kept.take(every_row)
