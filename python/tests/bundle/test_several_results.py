"""Several results of one run have the values and the errors that each has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import OneResult, Several, Tensors, TopK, Vector
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings

from .tensor_graphs import add

GRAPH = """g (float[n, 2] x) => (float[n, 2] scores, float[n, 2] features) {
    scores = Sqrt(x)
    features = Reciprocal(x)
}"""
NAN = "The model gave a score that is not a number."
INFINITE = "The model gave a feature that is NaN or infinite."
ROWS = [[4.0, 1.0], [-4.0, 1.0], [0.0, 1.0], [-1.0, 0.0], [1.0, 16.0]]
SCORES_NAN, FEATURES_INFINITE = (1, 3), (2, 3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("several")
    labels = {"scores": ("left", "right")}
    heads = {"scores": "classes", "features": "vector"}
    added = add(GRAPH, folder, labels=labels, heads=heads, ranges={"x": (1.0, 9.0)})
    bundle: Bundle = added.bundle
    return Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))


def results(model: Model, result: OneResult | Several, rows: int) -> list[dict[str, Any]]:
    """The result of each row of ROWS, in batches of the model of so many rows."""
    batches = [
        pa.RecordBatch.from_pydict({"x": pa.array(part, pa.list_(pa.float32()))})
        for part in (ROWS[:2], ROWS[2:])
    ]
    found = run(batches, model, EngineSettings(batch_rows=rows), result, ["x"], "error")
    return [row for batch in found for row in batch.to_pylist()]


@pytest.mark.parametrize("rows", [1, 2, 32])
@pytest.mark.parametrize(
    "parts",
    [
        (TopK(2), Vector()),
        (Vector(), TopK(1), Tensors(("features", "scores"))),
        (Tensors(("scores",)), Tensors(("features",)), Vector()),
    ],
)
def test_each_result_is_that_of_a_run_of_its_own(
    model: Model, parts: tuple[OneResult, ...], rows: int
) -> None:
    both = results(model, Several(parts), rows)
    for at, part in enumerate(parts):
        alone = results(model, part, rows)
        np.testing.assert_equal([row[f"answer{at}"] for row in both], alone)  # NaN equals NaN


def test_an_error_of_one_result_does_not_remove_the_others(model: Model) -> None:
    rows = results(model, Several((TopK(1), Vector())), 32)
    for number, row in enumerate(rows):
        scores = NAN if number in SCORES_NAN else None
        features = INFINITE if number in FEATURES_INFINITE else None
        assert (row["answer0"]["error"] or {}).get("message") == scores
        assert (row["answer1"]["error"] or {}).get("message") == features
        assert (row["answer0"]["label"] is None) == (number in SCORES_NAN)
        assert (row["answer1"]["features"] is None) == (number in FEATURES_INFINITE)
    assert rows[1]["answer1"]["features"] == [-0.25, 1.0]
    assert rows[2]["answer0"]["label"] == "right"
