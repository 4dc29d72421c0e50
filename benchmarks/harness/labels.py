"""Compares the labels and scores of a contender with those of raw inference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from harness.errors import BenchError

MAX_DELTA = 1e-4
Labels = dict[str, tuple[int, float]]
"""Class id and score by file name of the image."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of a contender with raw inference.

    Args:
        images: Number of compared images.
        missing: Number of them that have no label from the contender.
        same: Share of the images with the same label, 0 to 1.
        max_delta: Largest difference of two scores of the same label.
    """

    images: int
    missing: int
    same: float
    max_delta: float

    @property
    def exact(self) -> bool:
        """Whether all labels are equal and all scores differ by at most 1e-4."""
        return self.same == 1.0 and self.missing == 0 and self.max_delta <= MAX_DELTA


def compare(reference: Labels, found: Labels) -> Agreement:
    """Compare a contender's labels with the reference; images outside the reference are ignored."""
    same, missing, delta = 0, 0, 0.0
    for image, (class_id, score) in reference.items():
        if image not in found:
            missing += 1
        elif found[image][0] == class_id:
            same += 1
            delta = max(delta, abs(found[image][1] - score))
    return Agreement(len(reference), missing, same / max(len(reference), 1), delta)


def read_labels(output: Path) -> Labels:
    """Read the labels from the Parquet output of a contender.

    The columns are ``path`` and either ``class_id`` with ``score`` or ``confidence``, or
    Sightline's ``prediction``. Rows without a prediction are left out.

    Raises:
        BenchError: BENCH_OUTPUT if there is no such table.
    """
    try:
        table = ds.dataset(output, format="parquet").to_table()
        prediction = _prediction(table)
        class_ids = prediction.column(0).to_pylist()
        scores = prediction.column(1).to_pylist()
        names = [str(path).rsplit("/", 1)[-1] for path in table.column("path").to_pylist()]
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise BenchError("BENCH_OUTPUT", f"{output} holds no predictions: {error}") from error
    rows = zip(names, class_ids, scores, strict=True)
    return {
        name: (id_, score) for name, id_, score in rows if id_ is not None and score is not None
    }


def _prediction(table: pa.Table) -> pa.Table:
    names = table.column_names
    if "prediction" in names:
        struct = table.column("prediction")
        columns = [pc.struct_field(struct, "class_id"), pc.struct_field(struct, "score")]
        return pa.table({"class_id": columns[0], "score": columns[1]})
    return table.select(["class_id", "confidence" if "confidence" in names else "score"])
