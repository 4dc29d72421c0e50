"""Medians with ranges, least-squares lines, and the exponent of growth."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_EXPONENTS = [step / 200 for step in range(40, 601)]  # 0.2 to 3
_MIN_SIZES = 4  # the curve has three unknowns
_TWO_DEVIATIONS = 4.0  # squared


@dataclass(frozen=True)
class Spread:
    """Median, minimum and maximum of n measurements."""

    median: float
    least: float
    most: float
    n: int

    def __str__(self) -> str:
        if self.n == 1:
            return figure(self.median)
        return f"{figure(self.median)} ({figure(self.least)}–{figure(self.most)})"  # noqa: RUF001


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of the values; None if there are none."""
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values), len(values))


def figure(value: float) -> str:
    """Format a value with about three digits: 0.36, 14.2, 153.

    Processors differ in the last bits of a fit. So that a page is the same on all of them, the
    value is rounded to nine digits first: 9.9999999999 is 10.0, as 10.0 is.
    """
    value = float(f"{value:.9g}")
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}"


@dataclass(frozen=True)
class Line:
    """A least-squares line; ``r_squared`` is 1 if all points lie on it."""

    slope: float
    intercept: float
    r_squared: float


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """Fit a line by least squares. R² of a constant y is 1."""
    slope, intercept = statistics.linear_regression(x, y)
    mean = statistics.fmean(y)
    total = sum((value - mean) ** 2 for value in y)
    left = sum((value - intercept - slope * at) ** 2 for at, value in zip(x, y, strict=True))
    return Line(slope, intercept, 1 - left / total if total else 1.0)


@dataclass(frozen=True)
class Exponent:
    """The exponent in seconds = start-up + price * images ^ exponent; 1 is linear.

    Args:
        best: Exponent of the curve that is nearest to the runs.
        least: Smallest exponent within two standard deviations of the runs.
        most: Largest exponent within two standard deviations of the runs.
    """

    best: float
    least: float
    most: float


@dataclass(frozen=True)
class Growth:
    """The line through the times of some runs, and how well it fits.

    Args:
        startup_s: Seconds that do not depend on the images.
        per_image_ms: Milliseconds of one more image.
        r_squared: 1 if all runs lie on the line.
        residuals_s: Measured time minus the line, by run.
        exponent: Fitted independently of the line; None for fewer than four sizes.
    """

    startup_s: float
    per_image_ms: float
    r_squared: float
    residuals_s: tuple[float, ...]
    exponent: Exponent | None


def fit_growth(images: Sequence[int], seconds: Sequence[float]) -> Growth | None:
    """Fit the times of runs by their number of images; None for fewer than two sizes."""
    if len(set(images)) < 2:
        return None
    line = fit(images, seconds)
    residuals = tuple(
        spent - line.intercept - line.slope * count
        for count, spent in zip(images, seconds, strict=True)
    )
    exponent = _exponent(images, seconds) if len(set(images)) >= _MIN_SIZES else None
    return Growth(line.intercept, 1000 * line.slope, line.r_squared, residuals, exponent)


def _exponent(images: Sequence[int], seconds: Sequence[float]) -> Exponent:
    misfits = [_misfit(images, seconds, exponent) for exponent in _EXPONENTS]
    smallest = min(misfits)
    allowed = smallest * (1 + _TWO_DEVIATIONS / max(len(images) - 3, 1))
    within = [
        exponent for exponent, misfit in zip(_EXPONENTS, misfits, strict=True) if misfit <= allowed
    ]
    return Exponent(_EXPONENTS[misfits.index(smallest)], within[0], within[-1])


def _misfit(images: Sequence[int], seconds: Sequence[float], exponent: float) -> float:
    """Return the squares of the relative residuals of the best curve with this exponent.

    Residuals are relative, so that small and large sizes have the same weight.
    """
    powers = [(count / max(images)) ** exponent for count in images]
    weights = [1 / spent**2 for spent in seconds]
    total = sum(weights)
    x = sum(w * power for w, power in zip(weights, powers, strict=True)) / total
    y = sum(w * spent for w, spent in zip(weights, seconds, strict=True)) / total
    points = list(zip(weights, powers, seconds, strict=True))
    slope = sum(w * (power - x) * (spent - y) for w, power, spent in points) / sum(
        w * (power - x) ** 2 for w, power, _ in points
    )
    startup = y - slope * x
    if startup < 0:  # a start-up time is not negative: fit through the origin
        startup = 0.0
        slope = sum(w * power * spent for w, power, spent in points) / sum(
            w * power**2 for w, power, _ in points
        )
    misfit: float = sum(w * (spent - startup - slope * power) ** 2 for w, power, spent in points)
    return misfit
