"""Measures of a classifier on labelled samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_BINS = 15  # as in Guo et al., On Calibration of Modern Neural Networks, 2017

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Measures of one class; None where they are not defined.

    Args:
        label: Of the class.
        samples: Samples of the class.
        precision: Share of the samples predicted as this class that are of it.
        recall: Share of the class's samples that are predicted as it.
        f1: Harmonic mean of both.
    """

    label: str
    samples: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Measures of a classifier.

    Args:
        samples: Number of samples.
        top1: Share of samples whose class is the best one, 0..1.
        top5: Share of samples whose class is among the five best, 0..1.
        calibration_error: Expected difference of the best class's score and of the share of right
            samples with such a score, in 15 bins of equal width, 0..1.
        classes: Of each class, by class id.
        confusion: Number of samples by true class (rows) and predicted class (columns).
    """

    samples: int
    top1: float
    top5: float
    calibration_error: float
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as JSON has them."""
        return asdict(self)


def measure(
    labels: tuple[str, ...], true: Numbers, best: Numbers, scores: npt.NDArray[np.float64]
) -> Metrics:
    """Compute the measures.

    Args:
        labels: Label of each class.
        true: (n,) class ids, n at least 1.
        best: (n, k) class ids of the k best classes, the best first, k at most 5.
        scores: (n,) score of the best class, 0..1.
    """
    count = len(labels)
    predicted = best[:, 0]
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (true, predicted), 1)
    right = predicted == true
    bins = np.clip((scores * _BINS).astype(np.int64), 0, _BINS - 1)
    sizes = np.bincount(bins, minlength=_BINS)
    gaps = np.bincount(bins, right - scores, minlength=_BINS)
    found, of_class, hits = confusion.sum(0), confusion.sum(1), confusion.diagonal()
    classes = []
    for number, label in enumerate(labels):
        precision = hits[number] / found[number] if found[number] else None
        recall = hits[number] / of_class[number] if of_class[number] else None
        both = found[number] + of_class[number]
        classes.append(
            ClassMetrics(
                label,
                int(of_class[number]),
                None if precision is None else float(precision),
                None if recall is None else float(recall),
                float(2 * hits[number] / both) if both else None,
            )
        )
    return Metrics(
        samples=len(true),
        top1=float(right.mean()),
        top5=float((best == true[:, None]).any(1).mean()),
        calibration_error=float(np.abs(gaps[sizes > 0]).sum() / len(true)),
        classes=tuple(classes),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )
