"""The plugin of another author in examples/plugins, in a real session: no ONNX, no copy here."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sightline
from pyspark.sql import SparkSession
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/plugins/sklearn_direct"
ROWS = np.array([[1, 2, 0, 5], [0, 1, 1, 4], [7, 2, 3, 0], [6, 0, 2, 1]], np.float32)
LABELS = [0, 0, 1, 1]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as its README zips it."""
    path = tmp_path_factory.mktemp("plugin") / "sklearn_direct.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.write(EXAMPLE / "sklearn_direct.py", "sklearn_direct.py")
    return path


@pytest.fixture(scope="module")
def plugin(archive: Path) -> sightline.Plugin:
    return sightline.load("sklearn_direct", archive)


@pytest.fixture(scope="module")
def estimator() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)


def test_an_estimator_of_a_zip_s_plugin_gives_its_own_probabilities(
    spark: SparkSession, plugin: sightline.Plugin, estimator: Any
) -> None:
    classify = plugin.model_udf(estimator, example_inputs=ROWS[:2], allow_code=True)
    table = spark.createDataFrame([(row.tolist(),) for row in ROWS], "x array<float>")
    found = table.repartition(3).withColumn("p", classify("x")).collect()
    expected = dict(zip(map(tuple, ROWS.tolist()), estimator.predict_proba(ROWS), strict=True))
    assert len(found) == 4
    for row in found:
        assert row.p == pytest.approx(expected[tuple(row.x)], abs=1e-6)
