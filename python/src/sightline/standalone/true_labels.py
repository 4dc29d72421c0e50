"""How the true labels of a run's images fit the labels of its model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

_COMMONEST = 10


@dataclass(slots=True)
class TrueLabels:
    """Counts over a run's rows.

    Args:
        labelled: Images with a true label or class id.
        known: Those whose class id, or else label, is one of the model's.
        unknown: True labels that are none of the model's, with their images.
    """

    labelled: int = 0
    known: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(
        self, labels: pa.Array[Any], label_ids: pa.Array[Any], names: frozenset[str], classes: int
    ) -> None:
        """Count one batch.

        Args:
            labels: (rows,) string, null where there is none.
            label_ids: (rows,) int32, null where there is none.
            names: The model's labels.
            classes: How many classes it has; labels may repeat.
        """
        pairs = Counter(zip(labels.to_pylist(), label_ids.to_pylist(), strict=True))
        for (label, label_id), images in pairs.items():
            if label is None and label_id is None:
                continue
            self.labelled += images
            is_known = label in names if label_id is None else 0 <= label_id < classes
            if is_known:
                self.known += images
            else:
                self.unknown[str(label_id) if label is None else label] += images

    def are_comparable(self) -> bool:
        """Whether an accuracy would say something of the model, not of its classes' names."""
        return self.labelled > 0 and 2 * self.known >= self.labelled

    def summary(self) -> str:
        """How many labels fit, for people."""
        if self.labelled == 0:
            return "none"
        return f"{self.known:,} of {self.labelled:,} images have one of the model's labels"

    def warning(self, model: str, classes: Sequence[str]) -> str:
        """What does not fit: the ten commonest, in quotes, so that a space can be seen."""
        commonest = sorted(self.unknown.items(), key=lambda one: (-one[1], one[0]))[:_COMMONEST]
        listed = ", ".join(f"'{label}' ({images:,})" for label, images in commonest)
        shown = ", ".join(f"'{label}'" for label in classes[:_COMMONEST])
        if len(classes) > _COMMONEST:
            shown += f" … ({len(classes):,})"
        return (
            f"{self.labelled - self.known:,} of {self.labelled:,} true labels are none of "
            f"{model}'s: {listed}. Its labels: {shown}. Labels must be equal letter by letter, "
            "spaces included."
        )

    def why_no_evaluation(self) -> str:
        """Why `evaluate` is not advised, and what would help."""
        if self.labelled == 0:
            return (
                "No evaluation: no image has a true label. Say where they are by --labels folder "
                "or --label-column."
            )
        return (
            "No evaluation: the true labels are mostly none of the model's. Name the column of "
            "true labels by --label-column, or rename the folders."
        )
