"""Log the output folder of `pca` as one MLflow run."""

from __future__ import annotations

import contextlib
import getpass
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.track.client import IMPATIENT, PATIENT, artifact_errors, connect, environment
from sightline.track.experiment import open_experiment, page_url
from sightline.track.run_metrics import RunFacts

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FILES = ("run.json", "report.html", "pca_variance.png")
_MODEL = "model"


@dataclass(frozen=True)
class LoggedRun:
    """A run on an MLflow server.

    Args:
        run_id: MLflow's id of the run.
        run_name: Name for people.
        experiment_id: MLflow's id of the experiment.
        url: Web page of the run; None without a web server.
        left_out: Metrics that were not logged because they are not finite numbers.
        missing: Files that should be logged but are not in the folder.
    """

    run_id: str
    run_name: str
    experiment_id: str
    url: str | None
    left_out: tuple[str, ...]
    missing: tuple[str, ...]


def log_run(folder: Path, uri: str, experiment: str, run_name: str | None = None) -> LoggedRun:
    """Log parameters, metrics, tags, and the files as artifacts.

    The MLflow run becomes FINISHED when everything is logged. It becomes FAILED if logging fails,
    or stays RUNNING if the server does not answer any more.

    Args:
        folder: Output folder of `pca` on this machine, with run.json in it.
        uri: The server's address.
        experiment: Name of the experiment; it is created if there is none.
        run_name: Name of the MLflow run; None for model, k and start time.

    Raises:
        WrongUseError: NOT_A_RUN, TRACKING_URI, TRACKING_EXPERIMENT or MISSING_PACKAGE.
        SightlineError: As for ``check_server``, after a few minutes at most.
    """
    facts = RunFacts.read(folder)
    again = shlex.join(
        ["sightline", "track", str(folder), "--mlflow", uri, "--experiment", experiment]
    )
    advice = f"{folder} is complete. When the server answers again, log it with: {again}"
    name = run_name or facts.name
    artifacts = [folder / file for file in (*_FILES, _MODEL)]
    with connect(uri, PATIENT, advice) as client:
        found = open_experiment(client, experiment)
        run = client.create_run(
            found.experiment_id,
            start_time=milliseconds(facts.started.timestamp()),
            tags=facts.tags | {"sightline.run_folder": str(folder.absolute())} | user_tags(),
            run_name=name,
        )
        with failed_if_not_done(client, run.info.run_id):
            _log(client, run.info.run_id, facts)
            with artifact_errors(run.info.artifact_uri):
                for path in filter(Path.exists, artifacts):
                    upload(client, run.info.run_id, path)
            end = milliseconds(facts.ended.timestamp())
            client.set_terminated(run.info.run_id, "FINISHED", end_time=end)
    return LoggedRun(
        run_id=run.info.run_id,
        run_name=name,
        experiment_id=found.experiment_id,
        url=page_url(uri, found.experiment_id, run.info.run_id),
        left_out=facts.left_out,
        missing=tuple(path.name for path in artifacts if not path.exists()),
    )


def _log(client: MlflowClient, run_id: str, facts: RunFacts) -> None:
    from mlflow.entities import Metric, Param

    end = milliseconds(facts.ended.timestamp())
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, end, 0) for name, value in facts.metrics.items()],
        params=[Param(name, value) for name, value in facts.parameters.items()],
    )


def upload(client: MlflowClient, run_id: str, path: Path) -> None:
    """Log a file or a folder as an artifact of a run."""
    if path.is_dir():
        client.log_artifacts(run_id, str(path), path.name)
    else:
        client.log_artifact(run_id, str(path))


@contextlib.contextmanager
def failed_if_not_done(client: MlflowClient, run_id: str) -> Iterator[None]:
    """Set the status of a run to FAILED if the block raises an exception."""
    try:
        yield
    except BaseException:
        # Also for Ctrl-C: an incomplete run must not look complete. Tries once, without waiting.
        with environment(IMPATIENT), contextlib.suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise


def user_tags() -> dict[str, str]:
    """Return MLflow's tag of the user; empty for a user without a name."""
    # A container may run as a user without a name.
    with contextlib.suppress(KeyError, OSError):
        return {"mlflow.user": getpass.getuser()}
    return {}


def milliseconds(seconds: float) -> int:
    """Return a time as MLflow has it."""
    return round(seconds * 1000)
