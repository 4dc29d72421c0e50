"""Keras models and a SavedModel: load, model_udf, withColumn, as the old plugin repository did."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sightline
from pyspark.sql import Column, SparkSession

if TYPE_CHECKING:
    from keras import Model

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
ROWS = np.array([[0, 1, 2], [3, 1, 0], [2, 2, 2], [-1, 0, 4]], np.float32)
TENSORFLOW = Path(__file__).resolve().parents[2] / ".tools/tensorflow/bin/python"
SAVE = """
import sys
import numpy as np, tensorflow as tf

class Weighted(tf.Module):
    def __init__(self):
        self.weight = tf.Variable([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def __call__(self, x):
        return {"weighted": tf.matmul(x, self.weight)}

tf.saved_model.save(Weighted(), sys.argv[1])
"""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A Keras model with fixed weights."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    keras.utils.set_random_seed(4)
    layers = [keras.layers.Dense(5, activation="relu"), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((3,), name="measures"), *layers], name="small")


def check(spark: SparkSession, function: Callable[..., Column], expected: np.ndarray) -> None:
    table = spark.createDataFrame([(row.tolist(),) for row in ROWS], "x array<float>")
    found = {tuple(r.x): r.y for r in table.repartition(2).withColumn("y", function("x")).collect()}
    assert len(found) == 4
    for row, value in zip(ROWS.tolist(), expected.tolist(), strict=True):
        assert found[tuple(row)] == pytest.approx(value, abs=1e-5)


def test_a_keras_model_and_its_file(spark: SparkSession, model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "small.keras")
    expected = np.asarray(model(ROWS, training=False).detach())
    plugin = sightline.load("keras")
    check(spark, plugin.model_udf(model), expected)
    check(spark, plugin.model_udf(tmp_path / "small.keras"), expected)


def test_a_loader_runs_keras_in_the_workers(
    spark: SparkSession, model: Model, tmp_path: Path
) -> None:
    model.save(tmp_path / "small.keras")
    (tmp_path / "keras_loader.py").write_text(f"""
import os

os.environ["KERAS_BACKEND"] = "torch"

def load():
    import keras

    return keras.saving.load_model({str(tmp_path / "small.keras")!r}, compile=False)
""")
    with pytest.MonkeyPatch.context() as paths:
        paths.syspath_prepend(tmp_path)
        from keras_loader import load  # type: ignore[import-not-found]
    expected = np.asarray(model(ROWS, training=False).detach())
    options: dict[str, Any] = {"inputs": "float32[n,3]", "outputs": "float32[n,2]"}
    check(spark, sightline.load("keras").model_udf(load, allow_code=True, **options), expected)


def test_a_saved_model_of_tensorflow(spark: SparkSession, tmp_path: Path) -> None:
    if not TENSORFLOW.is_file():
        pytest.skip("no TensorFlow: scripts/make_tensorflow.sh")
    command = [str(TENSORFLOW), "-c", SAVE, str(tmp_path / "weighted")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the text above
    plugin = sightline.load("tensorflow")
    function = plugin.model_udf(tmp_path / "weighted", tensorflow_python=TENSORFLOW)
    check(spark, function, ROWS @ np.array([[1, 2], [0.5, -1], [3, 0]], np.float32))
    summary = plugin.model_summary(tmp_path / "weighted", tensorflow_python=TENSORFLOW)
    assert (summary.parameters, [one.name for one in summary.outputs]) == (6, ["weighted"])
    assert [(one.name, one.dtype, one.shape[1:]) for one in summary.inputs] == [
        ("x", "float32", (3,))
    ]
    with pytest.raises(sightline.WrongUseError, match=r"PATH_NOT_FOUND: .*none"):
        plugin.model_udf(tmp_path / "none")
    with pytest.raises(sightline.WrongUseError, match="WRONG_MODEL_SOURCE: plugin tensorflow"):
        plugin.model_udf(3)
