"""Models of images and of texts by plugins: their stages and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sightline
import torch
from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]


class Channels(torch.nn.Module):
    """Scores of red, green and blue: the mean of each channel, times 10."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean((2, 3)) * 10


def test_a_model_of_images_is_an_image_predictor_and_a_function(
    spark: SparkSession, paint: Callable[..., bytes]
) -> None:
    plugin = sightline.load("pytorch")
    settings = {"pixels": {"resize": (8, 8), "mean": 0, "std": 1}}
    network: dict[str, Any] = {
        "inputs": {"pixels": "float32[n,3,8,8]"},
        "images": settings,
        "labels": ["red", "green", "blue"],
        "activation": "softmax",
    }
    colours = ["red", "blue", "lime"]
    rows = [(colour, paint(colour)) for colour in colours] + [("none", b"no image")]
    table = spark.createDataFrame(rows, "colour string, content binary").repartition(2)

    stage = plugin.model(Channels(), **network)
    assert type(stage).__name__ == "ImagePredictor"
    found = {row.colour: row for row in stage.transform(table).collect()}
    labels = {colour: found[colour].prediction.label for colour in colours}
    assert labels == {"red": "red", "blue": "blue", "lime": "green"}
    assert (found["none"].prediction, found["none"].error.code) == (None, "UNSUPPORTED")

    classify = plugin.model_udf(Channels(), **network)
    labelled = table.select("colour", classify("content")["label"].alias("label")).collect()
    assert {row.colour: row.label for row in labelled} == {**labels, "none": None}


class Encoder(torch.nn.Module):
    """The mean of the tokens' vectors, without those that the mask leaves out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.vectors = torch.nn.Embedding(50, 4)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        weights = attention_mask.unsqueeze(-1).to(torch.float32)
        vectors: torch.Tensor = self.vectors(input_ids)
        return (vectors * weights).sum(1) / weights.sum(1)


def test_texts_of_any_length_by_function_and_stage(spark: SparkSession) -> None:
    encoder = Encoder()
    plugin = sightline.load("pytorch")
    tensors = {"input_ids": "int64[n,tokens]", "attention_mask": "int64[n,tokens]"}
    table = spark.sql(
        "SELECT id, transform(sequence(0, id), i -> (7 * i + id) % 50) AS input_ids, "
        "transform(sequence(0, id), i -> int(i % 4 < 3)) AS attention_mask FROM range(0, 30, 1, 3)"
    )
    encode = plugin.model_udf(encoder, inputs=tensors)
    by_function = table.withColumn("y", encode("input_ids", attention_mask="attention_mask"))
    by_stage = plugin.model(encoder, inputs=tensors).transform(table)  # by the columns' names
    stage_rows = {row.id: row.output for row in by_stage.collect()}
    found = by_function.collect()
    assert len(found) == len(stage_rows) == 30
    for row in found:
        with torch.inference_mode():
            expected = encoder(torch.tensor([row.input_ids]), torch.tensor([row.attention_mask]))
        assert row.y == pytest.approx(expected[0].tolist(), abs=1e-5)
        assert stage_rows[row.id] == pytest.approx(row.y, abs=1e-6)
