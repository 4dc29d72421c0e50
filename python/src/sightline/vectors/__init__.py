"""Functions on feature vectors for PySpark: similarities, near duplicates, drift and an index.

The similarities, `near_duplicates` and `feature_drift` need the jar in the session. The index needs
the package usearch (``pip install 'sightline[vectors]'``) on every machine, and no jar.
"""

from __future__ import annotations

from sightline.vectors.vector_functions import (
    feature_drift,
    near_duplicates,
    vector_cosine_similarity,
    vector_inner_product,
    vector_l2_distance,
)
from sightline.vectors.vector_index import VectorIndex, build_index, open_index

__all__ = [
    "VectorIndex",
    "build_index",
    "feature_drift",
    "near_duplicates",
    "open_index",
    "vector_cosine_similarity",
    "vector_inner_product",
    "vector_l2_distance",
]
