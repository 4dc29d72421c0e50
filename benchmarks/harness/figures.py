"""The arithmetic of the benchmark: what a job used, what one more image costs, medians."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Usage:
    """What one job used.

    Args:
        images: How many images it was given.
        cpu_s: User and system seconds of all its processes.
        wall_s: Seconds from the question to the answer.
        peak_mib: The most memory its processes held at one time.
        cpu_by: `cpu_s` by kind of process: jvm, python, other.
        counters: What the engine counted itself (run.json, "worker"), if it did.
    """

    images: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    cpu_by: dict[str, float] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Rounded to what can be measured."""
        return {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        } | {
            "cpu_by": {kind: round(spent, 3) for kind, spent in self.cpu_by.items()},
        }


def marginal(small: Usage, large: Usage) -> dict[str, Any]:
    """What one more image costs: the difference of two jobs, over the difference of their images.

    Start-up, planning and whatever else does not grow with the images falls out.

    Returns:
        ``cpu_ms`` and ``wall_ms`` an image, and ``cpu_ms_by`` by kind of process.
    """
    more = large.images - small.images
    if more <= 0:
        message = f"{large.images} images are not more than {small.images}."
        raise ValueError(message)
    kinds = sorted(set(small.cpu_by) | set(large.cpu_by))
    return {
        "cpu_ms": round(1000 * (large.cpu_s - small.cpu_s) / more, 4),
        "wall_ms": round(1000 * (large.wall_s - small.wall_s) / more, 4),
        "cpu_ms_by": {
            kind: round(1000 * (large.cpu_by.get(kind, 0) - small.cpu_by.get(kind, 0)) / more, 4)
            for kind in kinds
        },
    }


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most that were measured."""

    median: float
    least: float
    most: float
    n: int

    def __str__(self) -> str:
        if self.n == 1:
            return figure(self.median)
        return f"{figure(self.median)} ({figure(self.least)}–{figure(self.most)})"  # noqa: RUF001


def spread(values: Sequence[float]) -> Spread | None:
    """None of no values."""
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values), len(values))


def figure(value: float) -> str:
    """Three digits or so: 0.36, 14.2, 153."""
    return (
        f"{value:.2f}"
        if abs(value) < 10
        else f"{value:.1f}"
        if abs(value) < 100
        else f"{value:.0f}"
    )


@dataclass(frozen=True)
class Line:
    """The straight line nearest to some points, and how near: R² is 1 where all lie on it."""

    slope: float
    intercept: float
    r_squared: float


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """Least squares. A flat y has R² 1."""
    slope, intercept = statistics.linear_regression(x, y)
    mean = statistics.fmean(y)
    total = sum((value - mean) ** 2 for value in y)
    left = sum((value - intercept - slope * at) ** 2 for at, value in zip(x, y, strict=True))
    return Line(slope, intercept, 1 - left / total if total else 1.0)
