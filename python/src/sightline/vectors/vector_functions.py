"""The SQL functions on vectors, for PySpark, classic or Connect. The session needs the jar."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql.functions import call_function, col


def vector_cosine_similarity(left: Column | str, right: Column | str) -> Column:
    """Return the cosine of the angle between two vectors.

    Args:
        left: Column of ARRAY<FLOAT>.
        right: Column of ARRAY<FLOAT> of the same dimension.

    Returns:
        FLOAT; NULL if a vector is NULL, empty, contains NULL or consists of zeros.
    """
    return call_function("vector_cosine_similarity", _column(left), _column(right))


def vector_inner_product(left: Column | str, right: Column | str) -> Column:
    """Return the sum of the products of the elements of two vectors.

    Args:
        left: Column of ARRAY<FLOAT>.
        right: Column of ARRAY<FLOAT> of the same dimension.

    Returns:
        FLOAT; NULL if a vector is NULL or contains NULL.
    """
    return call_function("vector_inner_product", _column(left), _column(right))


def vector_l2_distance(left: Column | str, right: Column | str) -> Column:
    """Return the Euclidean distance of two vectors.

    Args:
        left: Column of ARRAY<FLOAT>.
        right: Column of ARRAY<FLOAT> of the same dimension.

    Returns:
        FLOAT; NULL if a vector is NULL or contains NULL.
    """
    return call_function("vector_l2_distance", _column(left), _column(right))


def near_duplicates(
    table: DataFrame,
    threshold: float = 0.95,
    *,
    id: str = "path",
    features: str = "features",
    recall: float = 0.99,
) -> DataFrame:
    """Return the members of the groups of near duplicates in a table of vectors.

    A group is a connected component of the pairs whose cosine similarity is at least `threshold`.

    Args:
        table: Frame with the columns `id` and `features` (ARRAY<FLOAT>); it is read up to three
            times, so store features before.
        threshold: Above 0, at most 1.
        id: Column that identifies a row.
        features: Column of vectors.
        recall: The least probability that a pair at the threshold is found, if the table has more
            than 10,000 rows; 1 compares all pairs.

    Returns:
        group_id (the id of the group's representative, as text), `id`, similarity (to the
        representative); a row for each member of a group of at least two.
    """
    query = (
        "SELECT * FROM near_duplicates(TABLE({table}), threshold => :threshold, "
        "id => :id, features => :features, recall => :recall)"
    )
    arguments = {"threshold": threshold, "id": id, "features": features, "recall": recall}
    return table.sparkSession.sql(query, args=arguments, table=table)


def feature_drift(
    reference: DataFrame, current: DataFrame, *, features: str = "features"
) -> DataFrame:
    """Compare two tables of vectors.

    Args:
        reference: Frame with the vectors to compare with, such as those of the training images.
        current: Frame with the vectors of today.
        features: Column of vectors (ARRAY<FLOAT>) in both.

    Returns:
        feature (INT, NULL for the whole sets), measure, value, verdict (none, moderate, large).
    """
    query = (
        "SELECT * FROM feature_drift(TABLE({reference}), TABLE({current}), features => :features)"
    )
    return reference.sparkSession.sql(
        query, args={"features": features}, reference=reference, current=current
    )


def _column(value: Column | str) -> Column:
    return col(value) if isinstance(value, str) else value
