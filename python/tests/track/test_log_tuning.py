"""The MLflow runs of `sightline tune`, on a real MLflow server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sightline.errors import WrongUseError
from sightline.track.log_tuning import log_tuning

from .tracking_server import artifact_paths, ask

pytestmark = pytest.mark.timeout(300)  # includes the start of the server

RECORD = {
    "command": "tune",
    "version": "0.1.0",
    "started": "2026-11-22T10:00:00+00:00",
    "seconds": {"features": 4.0, "trials": 10.0, "fit": 1.0},
    "arguments": {
        "images": "flowers",
        "folds": 2,
        "trials": 3,
        "parallelism": 2,
        "metric": "accuracy",
        "seed": 7,
    },
    "model": {
        "model": "efficientnet_lite0",
        "sha256": "ab" * 32,
        "backend": "onnx",
        "precision": "fp32",
        "device": "auto",
    },
    "counts": {"images": 103, "used": 100, "unlabelled": 1, "errors": {"CORRUPT": 2}},
    "metric": "accuracy",
    "best": {"trial": 0, "score": 0.75, "head": "logistic", "params": {"regParam": 0.01}},
    "trials": [
        {
            "trial": 0,
            "state": "complete",
            "score": 0.75,
            "scores": [0.7, 0.8],
            "head": "logistic",
            "params": {"regParam": 0.01},
            "seconds": 2.0,
        },
        {
            "trial": 1,
            "state": "pruned",
            "score": 0.25,
            "scores": [0.25],
            "head": "mlp",
            "params": {"hiddenLayers": [16, 4]},
            "seconds": 1.0,
        },
        {
            "trial": 2,
            "state": "failed",
            "score": None,
            "scores": [],
            "head": "mlp",
            "params": {"hiddenLayers": [8]},
            "seconds": 0.5,
            "error": "OutOfMemoryError: heap",
        },
    ],
}


def by_key(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in pairs}


def write(folder: Path, record: dict[str, Any]) -> Path:
    (folder / "_run").mkdir()
    (folder / "_run" / "run.json").write_text(json.dumps(record))
    (folder / "trials.csv").write_text("trial,state\n")
    return folder


def test_a_search_is_a_run_and_each_trial_a_nested_run(tmp_path: Path, server: str) -> None:
    logged = log_tuning(write(tmp_path, RECORD), server, "tuning")
    run = ask(server, "runs/get", run_id=logged.run_id)["run"]
    info = run["info"]
    assert logged.run_name == "efficientnet_lite0 tune 2026-11-22 10:00:00"
    assert logged.missing == ("model",)
    assert info["status"] == "FINISHED"
    assert info["end_time"] - info["start_time"] == 15_000
    assert by_key(run["data"]["params"]) == {
        "model": "efficientnet_lite0",
        "model_sha256": "ab" * 32,
        "model_backend": "onnx",
        "model_precision": "fp32",
        "model_device": "auto",
        "folds": "2",
        "trials": "3",
        "parallelism": "2",
        "metric": "accuracy",
        "seed": "7",
        "head": "logistic",
        "regParam": "0.01",
    }
    assert by_key(run["data"]["metrics"]) == {
        "accuracy": 0.75,
        "images": 100,
        "errors": 2,
        "features_seconds": 4,
        "trials_seconds": 10,
        "fit_seconds": 1,
    }
    assert set(artifact_paths(server, logged.run_id)) == {"run.json", "trials.csv"}

    found = ask(
        server,
        "runs/search",
        {
            "experiment_ids": [logged.experiment_id],
            "filter": f"tags.mlflow.parentRunId = '{logged.run_id}'",
        },
    )["runs"]
    trials = sorted(found, key=lambda one: str(one["info"]["run_name"]))
    assert [(one["info"]["run_name"], one["info"]["status"]) for one in trials] == [
        ("trial 0", "FINISHED"),
        ("trial 1", "KILLED"),
        ("trial 2", "FAILED"),
    ]
    assert by_key(trials[0]["data"]["metrics"]) == {"accuracy": 0.75, "accuracy_fold": 0.8}
    assert by_key(trials[1]["data"]["params"]) == {"head": "mlp", "hiddenLayers": "[16, 4]"}
    assert by_key(trials[2]["data"]["tags"])["sightline.error"] == "OutOfMemoryError: heap"


def test_the_output_of_another_command_is_refused(tmp_path: Path) -> None:
    write(tmp_path, RECORD | {"command": "predict"})
    with pytest.raises(WrongUseError, match=r"NOT_A_RUN: .* is the record of 'predict'"):
        log_tuning(tmp_path, "http://127.0.0.1:1", "tuning")
    with pytest.raises(WrongUseError, match=r"NOT_A_RUN: .* cannot be read"):
        log_tuning(tmp_path / "nothing", "http://127.0.0.1:1", "tuning")
