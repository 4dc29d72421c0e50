"""Log the output folder of `train` as one MLflow run, with the measures of each epoch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.errors import WrongUseError
from sightline.require_package import require_package
from sightline.track.log_run import LoggedRun, RunDescription, log_described, milliseconds
from sightline.version import __version__

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS_FILE = "train.yaml"
_ARTIFACTS = ("report.html", "model_card.md", "evaluation.json", SETTINGS_FILE, "models")
_OF_EPOCH = (
    "loss",
    "learning_rate",
    "validation_loss",
    "validation_top1",
    "validation_top5",
    "images_per_second",
    "wait_share",
)


def log_training(folder: Path, uri: str, experiment: str, run_name: str | None = None) -> LoggedRun:
    """Log the options, the measures of each epoch (the step is the epoch), and the result.

    Args:
        folder: Output folder of `train` on this machine.
        uri: The server's address.
        experiment: Name of the experiment; it is created if there is none.
        run_name: Name of the MLflow run; None for architecture and start time.

    Raises:
        WrongUseError: NOT_A_RUN, TRACKING_URI, TRACKING_EXPERIMENT or MISSING_PACKAGE.
        SightlineError: As for ``check_server``, after a few minutes at most.
    """
    require_package("yaml", install="sightline[train]", purpose="the log of a training")
    options, history, evaluation = _read(folder)
    started = (folder / SETTINGS_FILE).stat().st_mtime
    ended = (folder / "evaluation.json").stat().st_mtime
    begin = datetime.fromtimestamp(started, UTC)
    name = run_name or f"{options.get('architecture')} train {begin:%Y-%m-%d %H:%M:%S}"
    tags = {
        "mlflow.source.name": "sightline train",
        "mlflow.source.type": "JOB",
        "sightline.command": "train",
        "sightline.version": __version__,
    }
    described = RunDescription(
        folder,
        name,
        tags,
        started,
        ended,
        _ARTIFACTS,
        f"{folder} is complete; only MLflow lacks it.",
    )
    return log_described(
        described,
        uri,
        experiment,
        lambda client, run: _log(
            client, run.info.run_id, options, history, evaluation, milliseconds(ended)
        ),
    )


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    import yaml

    try:
        options = yaml.safe_load((folder / SETTINGS_FILE).read_text("utf-8"))
        history = json.loads((folder / "history.json").read_text("utf-8"))
        evaluation = json.loads((folder / "evaluation.json").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise WrongUseError(
            "NOT_A_RUN", f"'{folder}' is no complete output of train: {reason}."
        ) from error
    return options, history, evaluation


def _log(
    client: MlflowClient,
    run_id: str,
    options: dict[str, Any],
    history: list[dict[str, Any]],
    evaluation: dict[str, Any],
    at: int,
) -> None:
    from mlflow.entities import Metric, Param

    metrics = [
        Metric(name, float(epoch[name]), at, epoch["epoch"])
        for epoch in history
        for name in _OF_EPOCH
        if epoch[name] is not None
    ]
    for backend, measures in evaluation["backends"].items():
        for name in ("top1", "top5", "calibration_error"):
            key = f"{evaluation['part']}_{name}_{backend}"
            metrics.append(Metric(key, float(measures[name]), at, len(history)))
    most = 1000  # of one request
    for start in range(0, len(metrics), most):
        client.log_batch(run_id, metrics=metrics[start : start + most])
    params = [Param(name, str(value)[:500]) for name, value in options.items()]
    client.log_batch(run_id, params=params)
