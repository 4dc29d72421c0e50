"""Photographs and hostile files of ../shared: accuracy, and equal results of the entry points."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from sightline.row_error import ErrorCode, Stage

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(900)


def test_hostile_files_are_a_row_each_and_the_same_at_both_entry_points(
    shared: Path,
    run_command: Callable[..., Done],
    alone: Callable[..., Done],
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    images = ("--images", shared / "hostile" / "files", "--include", "*")
    command = ("predict", *images, "--model", "id_fraud")
    for command_line, name in ((run_command, "spark"), (alone, "alone")):
        done = command_line(*command, "--output", tmp_path / name)
        assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "spark")
    files = sorted(path for path in (shared / "hostile" / "files").iterdir() if path.is_file())
    assert [row["path"] for row in rows] == [str(file) for file in files]
    for row, other in zip(rows, rows_of(tmp_path / "alone"), strict=True):
        assert (row["prediction"] is None) != (row["error"] is None)
        if row["error"] is not None:
            assert row["error"]["code"] in get_args(ErrorCode)
            assert row["error"]["stage"] in get_args(Stage)
            assert row["error"] == other["error"]
        else:
            assert row["prediction"]["label"] == other["prediction"]["label"], row["path"]
            assert row["prediction"]["score"] == pytest.approx(
                other["prediction"]["score"], abs=1e-5
            )


@pytest.fixture(scope="module")
def bundle(repository: Path) -> Path:
    folder = repository / "models" / "efficientnet_lite0"
    if not (folder / "model.json").is_file():
        pytest.skip(f"no bundle in {folder} (make setup makes it)")
    return folder


@pytest.fixture(scope="module")
def photographs(
    shared: Path,
    bundle: Path,
    run_command: Callable[..., Done],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The predictions of all 500 photographs by the jar with onnx."""
    output = tmp_path_factory.mktemp("photographs") / "onnx"
    table = shared / "imagenet" / "labels.csv"
    done = run_command("predict", "--images", table, "--model", bundle.name, "--output", output)
    assert done.returncode == 0, done.stderr
    return output


def prepared(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The documented preprocessing: shorter side to 256 by bicubic, then the middle 224 x 224."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    width, height = rgb.size
    scale = 256 / min(width, height)
    size = (256, int(height * scale)) if width <= height else (int(width * scale), 256)
    resized = rgb.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    return np.asarray(resized.crop((left, top, left + 224, top + 224)))  # (224, 224, 3)


def test_accuracy_is_equal_to_that_of_the_onnx_file_in_onnxruntime(
    shared: Path, bundle: Path, photographs: Path, run_command: Callable[..., Done], tmp_path: Path
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(bundle / "model.onnx")
    folder = shared / "imagenet"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = 0
    for start in range(0, len(rows), 25):
        batch = rows[start : start + 25]
        images = np.stack([prepared(folder / row["path"]) for row in batch])
        (logits,) = session.run(["logits"], {"images": images})
        truth = np.array([int(row["class_id"]) for row in batch])
        right += int((logits.argmax(axis=1) == truth).sum())
    done = run_command(
        "evaluate", "--predictions", photographs, "--output", tmp_path / "evaluation"
    )
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert (metrics["rows"], metrics["errors"]) == (len(rows), 0)
    assert metrics["accuracy"] == pytest.approx(right / len(rows), abs=0.005)
    assert metrics["accuracy"] > 0.80
    assert metrics["top5_accuracy"] > metrics["accuracy"]


def test_the_python_package_gives_the_same_scores_for_every_photograph(
    shared: Path,
    bundle: Path,
    photographs: Path,
    alone: Callable[..., Done],
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    table = shared / "imagenet" / "labels.csv"
    command = ("predict", "--images", table, "--model", bundle, "--output", tmp_path / "out")
    done = alone(*command)
    assert done.returncode == 0, done.stderr
    ours, others = rows_of(photographs), rows_of(tmp_path / "out")
    assert [row["path"] for row in ours] == [row["path"] for row in others]
    for row, other in zip(ours, others, strict=True):
        assert row["prediction"]["class_id"] == other["prediction"]["class_id"], row["path"]
        assert row["prediction"]["score"] == pytest.approx(other["prediction"]["score"], abs=1e-5)


@pytest.mark.slow
def test_pytorch_gives_the_same_labels_as_onnx(
    shared: Path,
    bundle: Path,
    photographs: Path,
    run_command: Callable[..., Done],
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    done = run_command(
        *("predict", "--images", shared / "imagenet" / "labels.csv", "--model", bundle),
        *("--backend", "pytorch", "--limit", 150, "--output", tmp_path / "pytorch"),
    )
    assert done.returncode == 0, done.stderr
    onnx = {row["path"]: row["prediction"]["class_id"] for row in rows_of(photographs)}
    rows = rows_of(tmp_path / "pytorch")
    assert len(rows) == 150
    same = sum(row["prediction"]["class_id"] == onnx[row["path"]] for row in rows)
    assert same / len(rows) >= 0.99
