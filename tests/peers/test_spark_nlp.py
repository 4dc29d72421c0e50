"""A situation of Spark NLP's image annotators: an empty image between two good ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from sightline.functions import ml_predict
from sightline.ml import ImagePredictor

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]
LABELS = ["red", None, "blue", None, "green", None, "red"]
CODES = [None, "EMPTY", None, "INVALID_INPUT", None, "UNSUPPORTED", None]


@pytest.fixture(scope="module")
def images(spark: SparkSession, paint: Callable[..., bytes]) -> DataFrame:
    """Between good images: an empty one, a NULL, and one that is text. One partition."""
    contents = [paint("red"), b"", paint("blue"), None, paint("lime"), b"text", paint("red")]
    return spark.createDataFrame(list(enumerate(contents)), "id int, content binary").coalesce(1)


@pytest.mark.parametrize("batch_rows", [1, 2, 32])
def test_every_answer_of_the_stage_is_at_its_own_row(
    images: DataFrame, colour_bundle: Path, batch_rows: int
) -> None:
    stage = ImagePredictor(model=str(colour_bundle), batchRows=batch_rows)
    found = stage.transform(images).collect()
    assert [row.id for row in found] == list(range(7))
    assert [row.prediction and row.prediction.label for row in found] == LABELS
    assert [row.error and row.error.code for row in found] == CODES
    skipped = ImagePredictor(
        model=str(colour_bundle), batchRows=batch_rows, handleInvalid="skip"
    ).transform(images)
    assert [(row.id, row.prediction.label) for row in skipped.collect()] == [
        (0, "red"),
        (2, "blue"),
        (4, "green"),
        (6, "red"),
    ]


@pytest.mark.parametrize("batch_rows", [1, 2, 32])
def test_every_answer_of_sql_is_at_its_own_row(
    images: DataFrame, colour_bundle: Path, batch_rows: int
) -> None:
    options = {"batch_rows": str(batch_rows)}
    answer = ml_predict(str(colour_bundle), "content", options=options).alias("r")
    found = images.select("id", answer).collect()
    assert [row.id for row in found] == list(range(7))
    assert [row.r and row.r.label for row in found] == LABELS
    codes = [row.r and row.r.error and row.r.error.code for row in found]
    assert codes == [None if code == "INVALID_INPUT" else code for code in CODES]
    assert found[3].r is None  # as of SQL's functions: NULL gives NULL
