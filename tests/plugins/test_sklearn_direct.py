"""The plugin of another author in examples/plugins, in a real session: no ONNX, no copy here."""

from __future__ import annotations

import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import sightline
from pyspark.sql import SparkSession
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]
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
def estimator() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)


def test_an_estimator_of_a_zip_s_plugin_gives_its_own_probabilities(
    spark: SparkSession, plugin: sightline.Plugin, estimator: Pipeline
) -> None:
    classify = plugin.model_udf(estimator, example_inputs=ROWS[:2], allow_code=True)
    table = spark.createDataFrame([(row.tolist(),) for row in ROWS], "x array<float>")
    found = table.repartition(3).withColumn("p", classify("x")).collect()
    expected = dict(zip(map(tuple, ROWS.tolist()), estimator.predict_proba(ROWS), strict=True))
    assert len(found) == 4
    for row in found:
        assert row.p == pytest.approx(expected[tuple(row.x)], abs=1e-6)


def test_a_joblib_file_a_transformer_and_a_regression(
    spark: SparkSession, plugin: sightline.Plugin, tmp_path: Path
) -> None:
    scaler = StandardScaler().fit(ROWS)
    joblib.dump(scaler, tmp_path / "scaler.joblib")
    regression = LinearRegression().fit(ROWS, [1.5, 2.5, 3.5, 4.5])
    scale = plugin.model_udf(tmp_path / "scaler.joblib", example_inputs=ROWS, allow_code=True)
    value = plugin.model_udf(regression, example_inputs=ROWS, allow_code=True)
    table = spark.createDataFrame([(row.tolist(),) for row in ROWS], "x array<float>")
    found = table.repartition(2).select("x", scale("x").alias("s"), value("x").alias("v")).collect()
    for row in found:
        assert row.s == pytest.approx(scaler.transform([row.x])[0], abs=1e-5)
        assert row.v == pytest.approx(regression.predict([row.x])[0], abs=1e-5)


def test_labels_make_a_prediction(
    spark: SparkSession, plugin: sightline.Plugin, estimator: Pipeline
) -> None:
    classify = plugin.model_udf(
        estimator, example_inputs=ROWS, labels=["early", "late"], allow_code=True
    )
    table = spark.createDataFrame([(row.tolist(),) for row in ROWS], "x array<double>")
    found = {row.x[0]: row.p for row in table.select("x", classify("x").alias("p")).collect()}
    labels = {x: p.label for x, p in found.items()}
    assert labels == {1: "early", 0: "early", 7: "late", 6: "late"}
    assert found[7].score == pytest.approx(estimator.predict_proba(ROWS[2:3])[0, 1], abs=1e-6)


def test_the_summary_has_the_steps(plugin: sightline.Plugin, estimator: Pipeline) -> None:
    summary = plugin.model_summary(estimator, example_inputs=ROWS)
    assert [(one.name, one.kind) for one in summary.layers] == [
        ("standardscaler", "StandardScaler"),
        ("logisticregression", "LogisticRegression"),
    ]
    assert [(one.name, one.shape) for one in summary.outputs] == [("predict_proba", ("n", 2))]


def test_it_needs_consent_and_a_fitted_model(
    spark: SparkSession, plugin: sightline.Plugin, estimator: Pipeline
) -> None:
    with pytest.raises(sightline.WrongUseError, match=r"CODE_NOT_ALLOWED: .*sklearn_direct:"):
        plugin.model_udf(estimator, example_inputs=ROWS)
    with pytest.raises(sightline.WrongUseError, match=r"LOADER_FAILED: .*NotFittedError"):
        plugin.model_udf(LogisticRegression(), example_inputs=ROWS, allow_code=True)
    with pytest.raises(sightline.WrongUseError, match=r"WRONG_MODEL_SOURCE: .* it takes no dict"):
        plugin.model_udf({}, example_inputs=ROWS, allow_code=True)
    with pytest.raises(sightline.WrongUseError, match=r"UNKNOWN_OPTION: 'examples'. Known: .*code"):
        plugin.model_udf(estimator, examples=ROWS)  # type: ignore[call-arg]


def test_the_example_is_short() -> None:
    lines = (EXAMPLE / "sklearn_direct.py").read_text().splitlines()
    assert len(lines) < 80
