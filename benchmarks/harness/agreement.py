"""Whether two contenders gave the same labels and scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from sightline.errors import SightlineError

MAX_DELTA = 1e-4
# Image → (class id, score of that class).
Labels = dict[str, tuple[int, float]]


@dataclass(frozen=True)
class Agreement:
    """How the answers of a contender compare with the raw parts'.

    Args:
        images: How many were compared.
        missing: How many of them the contender gave no label.
        same: Share of the images with the same label, 0 to 1.
        max_delta: The largest difference of scores where the labels are the same.
    """

    images: int
    missing: int
    same: float
    max_delta: float

    @property
    def exact(self) -> bool:
        """All labels, and every score to 1e-4."""
        return self.same == 1.0 and self.missing == 0 and self.max_delta <= MAX_DELTA


def compare(reference: Labels, found: Labels) -> Agreement:
    """Hold a contender's labels against the raw parts'."""
    same, missing, delta = 0, 0, 0.0
    for image, (class_id, score) in reference.items():
        if image not in found:
            missing += 1
        elif found[image][0] == class_id:
            same += 1
            delta = max(delta, abs(found[image][1] - score))
    return Agreement(len(reference), missing, same / max(len(reference), 1), delta)


def read_labels(output: Path) -> Labels:
    """The labels that a contender wrote as Parquet, by the name of the image's file.

    Columns are ``path``, and either ``class_id`` and ``score`` (or ``confidence``), or Sightline's
    ``prediction``. Rows without a prediction are left out.

    Raises:
        SightlineError: BENCH_OUTPUT if there is no such table.
    """
    try:
        table = ds.dataset(output, format="parquet").to_table()
        prediction = _prediction(table)
        class_ids = prediction.column(0).to_pylist()
        scores = prediction.column(1).to_pylist()
        names = [str(path).rsplit("/", 1)[-1] for path in table.column("path").to_pylist()]
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise SightlineError("BENCH_OUTPUT", f"{output} holds no predictions: {error}") from error
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
