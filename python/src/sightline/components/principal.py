"""Principal components from moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.components.moments import Moments
from sightline.components.vectors import Floats


@dataclass(frozen=True, slots=True)
class Principal:
    """The principal components of features that are scaled to mean 0 and variance 1.

    A constant feature is scaled to 0.

    Args:
        deviations: (features,) float64, the sample standard deviations.
        shares: (features,) float64, each component's share of the total variance, 0 to 1,
            descending.
        directions: (k, features) float64, the first k components. Each has the length 1, and its
            element with the largest magnitude is positive. No rows if there are no components.
    """

    deviations: Floats
    shares: Floats
    directions: Floats


def principal(moments: Moments, k: int) -> Principal:
    """Return the components.

    Args:
        moments: Of at least two vectors.
        k: Number of directions, 1 to the number of features.

    Returns:
        The components. If a feature is NaN or infinite, or all are constant, there are only the
        deviations.
    """
    variances = moments.products.diagonal() / (moments.rows - 1)
    deviations = np.sqrt(variances)
    nothing = Principal(deviations, np.zeros_like(deviations), np.zeros((0, len(deviations))))
    finite = np.isfinite(deviations).all() and np.isfinite(moments.mean).all()
    if not finite or not deviations.any():
        return nothing
    factors = np.divide(1, deviations, out=np.zeros_like(deviations), where=deviations > 0)
    scaled = moments.products / (moments.rows - 1)
    scaled *= factors
    scaled *= factors[:, None]
    # eigh reads one triangle. Its values are ascending; negative ones are rounding errors.
    values, vectors = np.linalg.eigh(scaled, UPLO="U")
    values = np.maximum(values[::-1], 0)
    directions = vectors.T[::-1][:k].copy()
    largest = np.abs(directions).argmax(axis=1)
    directions[directions[np.arange(k), largest] < 0] *= -1
    return Principal(deviations, values / values.sum(), directions)
