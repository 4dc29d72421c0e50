"""The MLflow runs of `sightline train`, on a real MLflow server."""

import json
from pathlib import Path
from typing import Any

import pytest

from sightline.cli.main import main
from sightline.errors import WrongUseError
from sightline.track.log_training import log_training

from .tracking_server import artifact_paths, ask

pytestmark = pytest.mark.timeout(300)  # includes the start of the server


def epoch(number: int, loss: float) -> dict[str, Any]:
    return {
        "epoch": number,
        "loss": loss,
        "learning_rate": 0.001,
        "validation_loss": loss / 2,
        "validation_top1": 0.75,
        "validation_top5": 1.0,
        "images_per_second": 10.0,
        "wait_share": 0.25,
    }


def write(folder: Path) -> Path:
    (folder / "train.yaml").write_text("architecture: resnet50\nepochs: 2\n", "utf-8")
    history = [epoch(1, 0.5), epoch(2, 0.25)]
    (folder / "history.json").write_text(json.dumps(history), "utf-8")
    measures = {"top1": 0.875, "top5": 1.0, "calibration_error": 0.125}
    evaluation = {"part": "test", "backends": {"onnx": measures}}
    (folder / "evaluation.json").write_text(json.dumps(evaluation), "utf-8")
    (folder / "report.html").write_text("<html>", "utf-8")
    return folder


def test_a_training_is_a_run_whose_metrics_have_a_step_for_each_epoch(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write(tmp_path))
    options = ["--mlflow", server, "--experiment", "training", "--json"]
    assert main(["track", folder, *options]) == 0
    logged = json.loads(capsys.readouterr().out)
    run = ask(server, "runs/get", run_id=logged["run_id"])["run"]
    assert run["info"]["status"] == "FINISHED"
    params = {one["key"]: one["value"] for one in run["data"]["params"]}
    assert params == {"architecture": "resnet50", "epochs": "2"}
    newest = {one["key"]: (one["value"], int(one["step"])) for one in run["data"]["metrics"]}
    assert newest == {
        "loss": (0.25, 2),
        "learning_rate": (0.001, 2),
        "validation_loss": (0.125, 2),
        "validation_top1": (0.75, 2),
        "validation_top5": (1.0, 2),
        "images_per_second": (10.0, 2),
        "wait_share": (0.25, 2),
        "test_top1_onnx": (0.875, 2),
        "test_top5_onnx": (1.0, 2),
        "test_calibration_error_onnx": (0.125, 2),
    }
    history = ask(server, "metrics/get-history", run_id=logged["run_id"], metric_key="loss")
    assert [(one["value"], int(one["step"])) for one in history["metrics"]] == [(0.5, 1), (0.25, 2)]
    assert set(artifact_paths(server, logged["run_id"])) == {
        "report.html",
        "evaluation.json",
        "train.yaml",
    }


def test_a_run_that_has_not_ended_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "evaluation.json").unlink()
    with pytest.raises(WrongUseError, match=r"^NOT_A_RUN: .* is no complete output of train"):
        log_training(tmp_path, "http://127.0.0.1:1", "training")
