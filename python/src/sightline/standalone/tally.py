"""The counts and times of a run, and how its true labels match the model's labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.counters import Counters

_COMMONEST = 10


@dataclass(slots=True)
class TrueLabels:
    """Counts of the true labels of a run's images.

    Args:
        labelled: Images with a true label or class id.
        known: Images whose true class id, or label if there is no id, is one of the model's.
        unknown: Number of images for each true label that the model does not have.
    """

    labelled: int = 0
    known: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(
        self, labels: pa.Array[Any], label_ids: pa.Array[Any], names: frozenset[str], classes: int
    ) -> None:
        """Count one batch.

        Args:
            labels: (rows,) string, null without a label.
            label_ids: (rows,) int32, null without a class id.
            names: The model's labels.
            classes: Number of the model's classes, several of which may have the same label.
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
        """Whether at least half of the true labels are labels of the model."""
        return self.labelled > 0 and 2 * self.known >= self.labelled

    def summary(self) -> str:
        """Return a phrase with the number of labels that the model has."""
        if self.labelled == 0:
            return "none"
        return f"{self.known:,} of {self.labelled:,} images have one of the model's labels"

    def warning(self, model: str, classes: Sequence[str]) -> str:
        """Return a sentence with the ten most frequent labels that the model does not have."""
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
        """Return why `evaluate` would not help, and what would."""
        if self.labelled == 0:
            return (
                "No evaluation: no image has a true label. Set their source by --labels folder or "
                "--label-column."
            )
        return (
            "No evaluation: the true labels are mostly none of the model's. Name the column of "
            "true labels by --label-column, or rename the folders."
        )


@dataclass(slots=True)
class Tally:
    """Counts and times of a run.

    Args:
        bundle: The model.
        device: The device that it ran on.
        started: Start time in seconds since 1970.
        images: Rows of the input; ``predicted`` plus the sum of ``errors``.
        predicted: Rows with a prediction.
        errors: Rows with an error, by error code.
        labels: Counts of the true labels.
        splits: Rows by split; ``none`` for rows without one. Empty for `predict`.
        left_out: Files of a listed folder that were not used, by their endings.
        images_root: Folder that a table's relative paths start from; None without a table.
        seconds: Times by stage: list, load, infer (with reading and decoding), write.
        counters: Counters of the engine.
    """

    bundle: Bundle
    device: Device
    started: float
    images: int = 0
    predicted: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    labels: TrueLabels = field(default_factory=TrueLabels)
    splits: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    images_root: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
