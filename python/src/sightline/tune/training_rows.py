"""The features and classes of labelled images, divided into folds, in Spark's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - Spark's convention

from sightline.errors import WrongUseError
from sightline.ml import ImageFeaturizer

_PARTITION_BYTES = 64 << 20
_BYTES_OF_A_NUMBER = 8


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Rows to train on.

    Args:
        frame: Columns `features`, `class` (index of the label) and `fold`, in the cache.
        labels: Labels in the order of their indices.
        length: Length of the features.
        folds: Number of folds; each has its share of the images of each label.
        rows: Number of rows.
        errors: Images without features by the code of their error; they are not in `frame`.
        unlabelled: Images without a label; they are not in `frame`.
    """

    frame: DataFrame
    labels: tuple[str, ...]
    length: int
    folds: int
    rows: int
    errors: dict[str, int]
    unlabelled: int


@contextmanager
def training_rows(
    images: DataFrame, featurizer: ImageFeaturizer, folds: int, seed: int
) -> Iterator[TrainingRows]:
    """Compute the features once, and yield them in the cache for as long as the block runs.

    The rows have a fixed order in a number of partitions that depends only on their size. So a
    trial gives the same result in each run.

    Args:
        images: Columns `path` and `label`, and those that `featurizer` reads.
        featurizer: With handleInvalid=keep, outputCol=features and errorCol=error.
        folds: At least 2.
        seed: Another seed gives other folds.

    Raises:
        WrongUseError: NOTHING_TO_FIT for fewer than two labels, or a label with fewer images than
            folds.
    """
    featured = featurizer.transform(images).select(
        "path", "label", "features", F.col("error.code").alias("code")
    )
    featured.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        errors = {
            str(row["code"]): int(row["count"])
            for row in featured.groupBy("code").count().orderBy("code").collect()
            if row["code"] is not None
        }
        good = featured.where("features IS NOT NULL AND label IS NOT NULL")
        counts = {
            str(row["label"]): int(row["count"])
            for row in good.groupBy("label").count().orderBy("label").collect()
        }
        unlabelled = featured.where("features IS NOT NULL AND label IS NULL").count()
        _require_enough(counts, folds, sum(errors.values()), unlabelled)
        labels, rows = tuple(counts), sum(counts.values())
        length = _length(good)
        frame = _divided(good, labels, folds, seed, length * rows)
        frame.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            frame.count()
            featured.unpersist()
            yield TrainingRows(frame, labels, length, folds, rows, errors, unlabelled)
        finally:
            frame.unpersist()
    finally:
        featured.unpersist()


def _require_enough(counts: dict[str, int], folds: int, failed: int, unlabelled: int) -> None:
    if len(counts) < 2:
        raise WrongUseError(
            "NOTHING_TO_FIT",
            f"tune needs images of at least two labels. It found {sum(counts.values())} with "
            f"features and a label, of {len(counts)} labels; {failed} have an error and "
            f"{unlabelled} have no label.",
        )
    label, count = min(counts.items(), key=lambda item: (item[1], item[0]))
    if count < folds:
        raise WrongUseError(
            "NOTHING_TO_FIT",
            f"tune needs an image of each label in each of the {folds} folds, but label '{label}' "
            f"has {count}. Give --folds {count} or fewer (at least 2), or leave the label out.",
        )


def _length(good: DataFrame) -> int:
    row = good.select("features").first()
    assert row is not None  # noqa: S101 - there is a row for each label
    return int(row["features"].size)


def _divided(
    good: DataFrame, labels: tuple[str, ...], folds: int, seed: int, numbers: int
) -> DataFrame:
    order = Window.partitionBy("label").orderBy(F.xxhash64("path", F.lit(seed)), "path")
    index = F.array_position(F.array(*map(F.lit, labels)), F.col("label")) - 1
    # Two at least, so that Spark adds gradients of partitions; a sum of two does not depend on
    # which of them is there first.
    partitions = max(2, math.ceil(numbers * _BYTES_OF_A_NUMBER / _PARTITION_BYTES))
    return (
        good.withColumn("fold", (F.row_number().over(order) - 1) % folds)
        .withColumn("class", index.cast("double"))
        .repartition(partitions, "path")
        .sortWithinPartitions("path")
        .select("features", "class", "fold")
    )
