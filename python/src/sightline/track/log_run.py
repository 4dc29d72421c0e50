"""Log the output folder of `pca` as one MLflow run."""

from __future__ import annotations

import contextlib
import getpass
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.track.client import IMPATIENT, PATIENT, artifact_errors, connect, environment
from sightline.track.experiment import open_experiment, page_url
from sightline.track.run_metrics import RunFacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

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
    described = RunDescription(
        folder,
        name,
        facts.tags,
        facts.started.timestamp(),
        facts.ended.timestamp(),
        (*_FILES, _MODEL),
        advice,
    )
    logged = log_described(described, uri, experiment, lambda client, run: _log(client, run, facts))
    return replace(logged, left_out=facts.left_out)


@dataclass(frozen=True)
class RunDescription:
    """What every logged output folder has.

    Args:
        folder: The output folder on this machine.
        name: Name of the MLflow run.
        tags: Tags beside those of the folder and the user.
        started: Unix time in seconds.
        ended: Unix time in seconds.
        artifacts: Files and folders to log, relative to the folder.
        advice: What to do if the server does not answer.
    """

    folder: Path
    name: str
    tags: Mapping[str, str]
    started: float
    ended: float
    artifacts: Sequence[str]
    advice: str


def log_described(
    described: RunDescription, uri: str, experiment: str, log: Callable[[MlflowClient, Run], None]
) -> LoggedRun:
    """Create a run, log its parameters and metrics with `log`, then its files, and end it.

    Args:
        described: The output folder.
        uri: The server's address.
        experiment: Name of the experiment; it is created if there is none.
        log: Called with the client and the new run.

    Raises:
        WrongUseError: TRACKING_URI, TRACKING_EXPERIMENT or MISSING_PACKAGE.
        SightlineError: As for ``check_server``, after a few minutes at most.
    """
    folder = described.folder
    artifacts = [folder / file for file in described.artifacts]
    with connect(uri, PATIENT, described.advice) as client:
        found = open_experiment(client, experiment)
        run = client.create_run(
            found.experiment_id,
            start_time=milliseconds(described.started),
            tags={**described.tags, "sightline.run_folder": str(folder.absolute()), **_user_tags()},
            run_name=described.name,
        )
        with _failed_if_not_done(client, run.info.run_id):
            log(client, run)
            with artifact_errors(run.info.artifact_uri):
                for path in filter(Path.exists, artifacts):
                    _upload(client, run.info.run_id, path)
            end = milliseconds(described.ended)
            client.set_terminated(run.info.run_id, "FINISHED", end_time=end)
    return LoggedRun(
        run_id=run.info.run_id,
        run_name=described.name,
        experiment_id=found.experiment_id,
        url=page_url(uri, found.experiment_id, run.info.run_id),
        left_out=(),
        missing=tuple(path.name for path in artifacts if not path.exists()),
    )


def _log(client: MlflowClient, run: Run, facts: RunFacts) -> None:
    from mlflow.entities import Metric, Param

    end = milliseconds(facts.ended.timestamp())
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(name, value, end, 0) for name, value in facts.metrics.items()],
        params=[Param(name, value) for name, value in facts.parameters.items()],
    )


def _upload(client: MlflowClient, run_id: str, path: Path) -> None:
    """Log a file or a folder as an artifact of a run."""
    if path.is_dir():
        client.log_artifacts(run_id, str(path), path.name)
    else:
        client.log_artifact(run_id, str(path))


@contextlib.contextmanager
def _failed_if_not_done(client: MlflowClient, run_id: str) -> Iterator[None]:
    """Set the status of a run to FAILED if the block raises an exception."""
    try:
        yield
    except BaseException:
        # Also for Ctrl-C: an incomplete run must not look complete. Tries once, without waiting.
        with environment(IMPATIENT), contextlib.suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise


def _user_tags() -> dict[str, str]:
    """Return MLflow's tag of the user; empty for a user without a name."""
    # A container may run as a user without a name.
    with contextlib.suppress(KeyError, OSError):
        return {"mlflow.user": getpass.getuser()}
    return {}


def milliseconds(seconds: float) -> int:
    """Return a time as MLflow has it."""
    return round(seconds * 1000)
