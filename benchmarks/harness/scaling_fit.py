"""How a time grows with the images: a start-up and a price for each, and whether that is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.figures import fit

_EXPONENTS = [step / 200 for step in range(40, 601)]  # 0.2 to 3
_LEAST_SIZES = 4  # for three unknowns
_TWO_DEVIATIONS = 4.0  # squared


@dataclass(frozen=True)
class Exponent:
    """Of the images, in seconds = start-up + price * images ^ exponent: 1 is linear.

    Args:
        best: Where the curve is nearest to the runs.
        least: The least that the runs' own spread allows (two standard deviations).
        most: The most.
    """

    best: float
    least: float
    most: float


@dataclass(frozen=True)
class Growth:
    """The straight line nearest to some runs, and what speaks against it.

    Args:
        startup_s: Seconds that no image causes.
        per_image_ms: Of one more image.
        r_squared: 1 where all runs lie on the line.
        residuals_s: Of each run: measured less the line.
        exponent: Found without the line; None of fewer than four sizes.
    """

    startup_s: float
    per_image_ms: float
    r_squared: float
    residuals_s: tuple[float, ...]
    exponent: Exponent | None


def fit_growth(images: Sequence[int], seconds: Sequence[float]) -> Growth | None:
    """Fit runs by least squares; None of fewer than two sizes.

    Args:
        images: Of each run.
        seconds: Of each run.
    """
    if len(set(images)) < 2:
        return None
    line = fit(images, seconds)
    residuals = tuple(
        spent - line.intercept - line.slope * count
        for count, spent in zip(images, seconds, strict=True)
    )
    exponent = _exponent(images, seconds) if len(set(images)) >= _LEAST_SIZES else None
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
    """Squares of the relative residuals, so that the smallest size counts as the largest does."""
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
    if startup < 0:  # no program ends before it begins
        startup = 0.0
        slope = sum(w * power * spent for w, power, spent in points) / sum(
            w * power**2 for w, power, _ in points
        )
    misfit: float = sum(w * (spent - startup - slope * power) ** 2 for w, power, spent in points)
    return misfit
