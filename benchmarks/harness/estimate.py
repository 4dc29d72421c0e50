"""A measured value with its standard error, and arithmetic on such values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import t as student

from harness.statistics import figure

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value, its standard error, and the degrees of freedom of the error.

    Args:
        value: Best value.
        error: Standard error; infinite if one measurement is all there is.
        freedom: Degrees of freedom, from which the width of the interval follows; at least 1.
    """

    value: float
    error: float
    freedom: float

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval; infinite if the error is."""
        if math.isinf(self.error):
            return math.inf
        return self.error * float(student.ppf((1 + CONFIDENCE) / 2, max(self.freedom, 1.0)))

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.value - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value + self.half_width

    def __str__(self) -> str:
        if math.isinf(self.error):
            return f"{figure(self.value)} (one round)"
        return f"{figure(self.value)} ({figure(self.low)}–{figure(self.high)})"  # noqa: RUF001

    def __sub__(self, other: Estimate) -> Estimate:
        return combine([(1.0, self), (-1.0, other)])


def combine(parts: Sequence[tuple[float, Estimate]]) -> Estimate:
    """Return the sum of independent estimates, each times its factor."""
    value = sum(factor * part.value for factor, part in parts)
    return _estimate(value, [(factor * part.error, part.freedom) for factor, part in parts])


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """Return the quotient of two independent estimates, by the delta method.

    Raises:
        ZeroDivisionError: If `below` is 0.
    """
    value = above.value / below.value
    errors = [
        (above.error / below.value, above.freedom),
        (value * below.error / below.value, below.freedom),
    ]
    return _estimate(value, errors)


def _estimate(value: float, errors: Sequence[tuple[float, float]]) -> Estimate:
    """Add independent errors; the degrees of freedom are Welch and Satterthwaite's."""
    error = math.sqrt(sum(part**2 for part, _ in errors))
    if error == 0 or math.isinf(error):
        return Estimate(value, error, min(freedom for _, freedom in errors))
    return Estimate(value, error, error**4 / sum(part**4 / free for part, free in errors))
