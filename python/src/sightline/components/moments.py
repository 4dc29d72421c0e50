"""The mean and the covariance sums of vectors, added by blocks and merged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sightline.components.vectors import Floats


@dataclass(slots=True)
class Moments:
    """The number, mean and centred products of vectors.

    The mean is the sum of two numbers, and the products are sums over deviations from the mean. So
    a mean far above the deviations costs no digits. Parts are merged by the formula of Chan, Golub
    and LeVeque. The sums of a constant feature are exactly 0.

    Args:
        rows: Number of vectors, at least 1.
        shift: (features,) float64, one of the vectors.
        offset: (features,) float64, the mean less the shift.
        products: (features, features) float64, the sum of (x - mean)(x - mean)ᵀ. Only the upper
            triangle is used.
    """

    rows: int
    shift: Floats
    offset: Floats
    products: Floats

    @staticmethod
    def of(block: Floats) -> Moments:
        """Return the moments of vectors (n, features), n at least 1, which are overwritten."""
        features = block.shape[1]
        empty = Moments(0, block[0].copy(), np.zeros(features), np.zeros((features, features)))
        empty.add(block)
        return empty

    @property
    def mean(self) -> Floats:
        """(features,) float64."""
        return self.shift + self.offset

    def add(self, block: Floats) -> None:
        """Add vectors.

        Args:
            block: (n, features) float64, n at least 1. It is overwritten.
        """
        block -= self.shift
        offset = block.mean(axis=0)
        # The deviations of the block from its mean sum to 0. With a vector v added to each of them,
        # their products have n v vᵀ more; v is chosen to make this the term that merge adds.
        total = self.rows + len(block)
        block -= offset - (offset - self.offset) * math.sqrt(self.rows / total)
        self.products += block.T @ block
        self._move(len(block), offset)

    def merge(self, other: Moments) -> None:
        """Add the vectors of other moments with the same number of features."""
        offset = (other.shift - self.shift) + other.offset
        apart = offset - self.offset
        weight = self.rows / (self.rows + other.rows) * other.rows
        self.products += other.products
        # One row at a time needs no further matrix (features, features).
        for at, factor in enumerate(apart * weight):
            self.products[at, at:] += factor * apart[at:]
        self._move(other.rows, offset)

    def _move(self, rows: int, offset: Floats) -> None:
        """Move the mean to that of all vectors, with `rows` vectors more."""
        self.rows += rows
        self.offset = self.offset + (offset - self.offset) * (rows / self.rows)
