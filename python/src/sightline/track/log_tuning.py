"""Log the output folder of `tune` as one MLflow run, with a nested run for each trial."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.errors import WrongUseError
from sightline.track.log_run import LoggedRun, RunDescription, log_described, milliseconds

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_ARTIFACTS = ("model", "trials.csv", "_run/run.json")
_ENDED = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def log_tuning(folder: Path, uri: str, experiment: str, run_name: str | None = None) -> LoggedRun:
    """Log the search, the best trial's parameters and score, the files, and each trial.

    A trial is a nested run: FINISHED if it is complete, KILLED if it was pruned, FAILED if it
    failed. Its metric has a step for each fold.

    Args:
        folder: Output folder of `tune` on this machine.
        uri: The server's address.
        experiment: Name of the experiment; it is created if there is none.
        run_name: Name of the MLflow run; None for model and start time.

    Raises:
        WrongUseError: NOT_A_RUN, TRACKING_URI, TRACKING_EXPERIMENT or MISSING_PACKAGE.
        SightlineError: As for ``check_server``, after a few minutes at most.
    """
    record = _record(folder)
    started = datetime.fromisoformat(record["started"])
    ended = started + timedelta(seconds=sum(record["seconds"].values()))
    name = run_name or f"{record['model']['model']} tune {started:%Y-%m-%d %H:%M:%S}"
    tags = {
        "mlflow.source.name": "sightline tune",
        "mlflow.source.type": "JOB",
        "sightline.command": "tune",
        "sightline.version": record["version"],
    }
    begin = milliseconds(started.timestamp())

    def log(client: MlflowClient, run: Run) -> None:
        _log_search(client, run.info.run_id, record)
        for trial in record["trials"]:
            _log_trial(client, run.info.experiment_id, run.info.run_id, record, trial, begin)

    described = RunDescription(
        folder,
        name,
        tags,
        started.timestamp(),
        ended.timestamp(),
        _ARTIFACTS,
        f"{folder} is complete; only MLflow lacks it.",
    )
    return log_described(described, uri, experiment, log)


def _record(folder: Path) -> dict[str, Any]:
    file = folder / "_run" / "run.json"
    try:
        record: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = f"'{file}' cannot be read ({error}). Give the output folder of tune."
        raise WrongUseError("NOT_A_RUN", why) from error
    if record.get("command") != "tune":
        why = f"'{file}' is the record of '{record.get('command')}'. Give the output of tune."
        raise WrongUseError("NOT_A_RUN", why)
    return record


def _log_search(client: MlflowClient, run_id: str, record: dict[str, Any]) -> None:
    model, best, arguments = record["model"], record["best"], record["arguments"]
    for name in ("model", "sha256", "backend", "precision", "device"):
        client.log_param(run_id, f"model_{name}".replace("model_model", "model"), model[name])
    for name in ("folds", "trials", "parallelism", "metric", "seed"):
        client.log_param(run_id, name, arguments[name])
    client.log_param(run_id, "head", best["head"])
    for name, value in best["params"].items():
        client.log_param(run_id, name, value)
    client.log_metric(run_id, record["metric"], best["score"])
    client.log_metric(run_id, "images", record["counts"]["used"])
    client.log_metric(run_id, "errors", sum(record["counts"]["errors"].values()))
    for name, seconds in record["seconds"].items():
        client.log_metric(run_id, f"{name}_seconds", seconds)


def _log_trial(
    client: MlflowClient,
    experiment_id: str,
    parent: str,
    record: dict[str, Any],
    trial: dict[str, Any],
    begin: int,
) -> None:
    tags = {"mlflow.parentRunId": parent, "sightline.trial": str(trial["trial"])}
    if "error" in trial:
        tags["sightline.error"] = trial["error"]
    run = client.create_run(
        experiment_id, start_time=begin, tags=tags, run_name=f"trial {trial['trial']}"
    )
    run_id = run.info.run_id
    client.log_param(run_id, "head", trial["head"])
    for name, value in trial["params"].items():
        client.log_param(run_id, name, value)
    for fold, score in enumerate(trial["scores"]):
        client.log_metric(run_id, f"{record['metric']}_fold", score, step=fold)
    if trial["score"] is not None:
        client.log_metric(run_id, record["metric"], trial["score"])
    end = begin + milliseconds(trial["seconds"])
    client.set_terminated(run_id, _ENDED[trial["state"]], end_time=end)
