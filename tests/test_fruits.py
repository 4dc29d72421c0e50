"""The Fruits-360 program on real images: features, PCA, report and tracked run, by the jar."""

from __future__ import annotations

import csv
import json
import os
import runpy
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

Done = subprocess.CompletedProcess[str]
Array = np.ndarray[Any, np.dtype[np.float64]]
pytestmark = pytest.mark.timeout(900)

WEIGHTS = "weights/mobilenet_v2_1.0_224.torchvision.safetensors"


@pytest.fixture(scope="module")
def models(
    shared: Path, alone: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with mobilenet_v2, made as in the README."""
    folder = tmp_path_factory.mktemp("models")
    made = alone(
        *("models", "add", "mobilenet_v2", "--models", folder),
        *("--architecture", "torchvision:mobilenet_v2", "--weights", shared / WEIGHTS),
        *("--resize", "224", "--crop", "224", "--mean", "0.5", "--std", "0.5"),
    )
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def runs(
    shared: Path,
    models: Path,
    run_command: Callable[..., Done],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Features of fruits and flowers, and the PCA of the fruits."""
    folder = tmp_path_factory.mktemp("fruits")
    features = ("features", "--model", "mobilenet_v2", "--models", models)
    for line in (
        (*features, "--images", shared / "fruits/dev", "--output", folder / "features"),
        ("pca", "--features", folder / "features", "--k", 50, "--output", folder / "pca"),
        (*features, "--images", shared / "flowers/dev", "--output", folder / "flowers"),
    ):
        done = run_command(*line)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def accuracy(repository: Path, run_in: Callable[..., Done]) -> Callable[..., float]:
    """The accuracy of MLlib's logistic regression on the test rows."""

    def call(table: Path, *options: str) -> float:
        example = repository / "examples" / "fruits" / "classify.py"
        done = run_in(
            repository / ".venv/bin/spark-submit",
            *("--master", "local[2]", "--conf", "spark.ui.enabled=false"),
            *("--conf", "spark.sql.shuffle.partitions=2", example, table, *options),
        )
        assert done.returncode == 0, done.stderr
        _, share, *_ = done.stdout.split()
        return float(share)

    return call


def matrix(table: Path, column: str, split: str) -> Array:
    rows = pq.read_table(table, filters=[("split", "=", split)], columns=["path", column])
    values: Array = np.array(rows.sort_by("path").column(column).to_pylist(), np.float64)
    return values


def test_fifty_components_classify_fruits_that_were_turned(
    runs: Path, accuracy: Callable[..., float]
) -> None:
    assert accuracy(runs / "pca" / "components", "--column", "components") >= 0.95


def test_features_without_pca_classify_flowers(runs: Path, accuracy: Callable[..., float]) -> None:
    assert accuracy(runs / "flowers", "--column", "features") >= 0.84


def test_explained_variance_and_components_are_equal_to_those_of_scikit_learn(runs: Path) -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    train, test = (matrix(runs / "features", "features", split) for split in ("train", "test"))
    scaler = StandardScaler().fit(train)
    pca = PCA(n_components=50, svd_solver="full").fit(scaler.transform(train))
    found = json.loads((runs / "pca" / "run.json").read_text())["pca"]
    difference = np.abs(pca.explained_variance_ratio_ - found["explained_variance"])
    assert difference.max() < 1e-4
    assert sum(found["spectrum"]) == pytest.approx(1, abs=1e-9)
    # scikit-learn divides by n, `pca` by n - 1, and the sign of a component is arbitrary.
    expected = pca.transform(scaler.transform(test)) * np.sqrt((len(train) - 1) / len(train))
    components = matrix(runs / "pca" / "components", "components", "test")
    assert np.abs(np.abs(components) - np.abs(expected)).max() < 1e-2


def test_features_are_equal_to_those_of_torch(shared: Path, runs: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from torchvision.models import mobilenet_v2

    network = mobilenet_v2()
    network.load_state_dict(load_file(shared / WEIGHTS))
    network.eval()
    rows = pq.read_table(runs / "features", columns=["path", "features"]).to_pylist()[::40]
    for row in rows:
        image = Image.open(row["path"]).convert("RGB")
        pixels = np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR), np.float32)
        batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None] / 127.5 - 1)
        with torch.inference_mode():
            expected = network.features(batch).mean((2, 3))[0].numpy()
        assert np.abs(np.array(row["features"]) - expected).max() < 1e-4, row["path"]


def test_the_output_is_complete(shared: Path, runs: Path) -> None:
    fruits = (shared / "fruits" / "dev").rglob("*.jpg")
    features = pq.read_table(runs / "features").to_pylist()
    assert sorted(row["path"] for row in features) == sorted(map(str, fruits))
    for row in features:
        split, label, name = Path(row["path"]).parts[-3:]
        assert (row["label"], row["filename"]) == (label, name)
        assert row["split"] == {"Training": "train", "Test": "test"}[split]
        assert len(row["features"]) == 1280
    labels = {row["label"] for row in features}
    for split, count in (("train", 1440), ("test", 480)):
        folders = {path.name for path in (runs / f"pca/components/split={split}").iterdir()}
        assert folders == {f"label={label}" for label in labels}
        with (runs / f"pca/csv/{split}.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["path", "filename", "label", *(f"f_{i}" for i in range(50))]
        assert len(rows) == count + 1
        assert all(len(row) == 53 for row in rows)


def test_the_page_loads_no_other_file_and_the_chart_is_beside_it(runs: Path) -> None:
    page = (runs / "pca" / "report.html").read_text()
    assert "mobilenet_v2" in page
    assert "data:image/" in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    with Image.open(runs / "pca" / "pca_variance.png") as chart:
        assert chart.format == "PNG"


def test_a_killed_run_keeps_the_old_output(
    runs: Path, jar: Path, repository: Path, tmp_path: Path, quick_start: dict[str, str]
) -> None:
    output = tmp_path / "pca"
    (output / "components").mkdir(parents=True)
    (output / "run.json").write_text("the old result")
    programs = repository / ".venv" / "bin"
    command = [programs / "spark-submit", "--master", "local[2]", jar, "pca"]
    command += ["--features", runs / "features", "--output", output, "--overwrite"]
    running = subprocess.Popen(  # noqa: S603 - the repository's own jar
        list(map(str, command)),
        env=os.environ | quick_start | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while running.poll() is None and not list(tmp_path.glob("pca.incomplete-*/components")):
        time.sleep(0.05)
    assert running.poll() is None, "it ended before it was killed"
    os.killpg(running.pid, 9)
    running.wait()
    assert sorted(path.name for path in output.iterdir()) == ["components", "run.json"]
    assert (output / "run.json").read_text() == "the old result"


def test_a_tracked_run_has_all_its_values_on_the_server(
    repository: Path, runs: Path, run_command: Callable[..., Done], tmp_path: Path
) -> None:
    tracking = runpy.run_path(str(repository / "python/tests/track/tracking_server.py"))
    if not tracking["MLFLOW"].is_file():
        pytest.skip("no MLflow server in .tools (scripts/make_tracking_server.sh makes it)")
    command = ("pca", "--features", runs / "features", "--output", tmp_path / "pca", "--mlflow")
    with tracking["start_tracking_server"](tmp_path) as uri:
        done = run_command(*command, uri, "--experiment", "fruits")
        assert done.returncode == 0, done.stderr
        ask = tracking["ask"]
        found = ask(uri, "experiments/get-by-name", experiment_name="fruits")["experiment"]
        search = {"experiment_ids": [found["experiment_id"]]}
        (run,) = ask(uri, "runs/search", search)["runs"]
        assert run["info"]["status"] == "FINISHED"
        parameters = {entry["key"]: entry["value"] for entry in run["data"]["params"]}
        metrics = {entry["key"]: entry["value"] for entry in run["data"]["metrics"]}
        record = json.loads((tmp_path / "pca" / "run.json").read_text())
        assert parameters["model"] == "mobilenet_v2"
        assert parameters["model_sha256"] == record["features_run"]["model"]["sha256"]
        assert {"batch_rows", "partitions", "backend", "device", "k"} <= set(parameters)
        times = ["features_train", "features_test", "pca_fit", "transform"]
        assert all(metrics[f"{stage}_seconds"] > 0 for stage in times)
        variance = record["pca"]["explained_variance"]
        for component in range(10):
            logged = metrics[f"explained_variance_pc_{component + 1}"]
            assert logged == pytest.approx(variance[component])
        assert metrics["explained_variance_total"] == pytest.approx(sum(variance))
        assert (metrics["rows"], metrics["train"], metrics["test"]) == (1920, 1440, 480)
        assert (metrics["classes"], metrics["compression_ratio"]) == (24, 25.6)
        assert metrics["images_per_second"] > 0
        run_id = run["info"]["run_id"]
        for file in ("run.json", "report.html", "pca_variance.png"):
            logged = tracking["artifact"](uri, run_id, file)
            assert logged == (tmp_path / "pca" / file).read_bytes()
        paths = tracking["artifact_paths"](uri, run_id)
        assert any(path.startswith("model/stages/") for path in paths)
    refused = run_command(*command, uri, "--overwrite")
    assert refused.returncode == 1
    assert "TRACKING_UNREACHABLE" in refused.stderr
    assert "pca_fit" not in refused.stderr  # no stage was started
    optional = run_command(*command, uri, "--mlflow-optional", "--overwrite", "--no-report")
    assert optional.returncode == 0
    assert "warning: the run will not be tracked: TRACKING_UNREACHABLE" in optional.stderr
