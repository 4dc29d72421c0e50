"""A finished run's folder, logged as one run of MLflow."""

from __future__ import annotations

import contextlib
import getpass
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.track.artifact_errors import artifact_errors
from sightline.track.connect import IMPATIENT, PATIENT, connect, environment
from sightline.track.open_experiment import open_experiment
from sightline.track.run_facts import RunFacts
from sightline.track.ui_url import ui_url

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FILES = ("run.json", "report.html", "pca_variance.png")
_MODEL = "model"


@dataclass(frozen=True)
class LoggedRun:
    """Where a run is to be found.

    Args:
        run_id: MLflow's.
        run_name: For people.
        experiment_id: MLflow's.
        url: Its page; None without a server.
        left_out: Metrics that were not logged because they are no finite numbers.
        missing: Files that the folder does not have.
    """

    run_id: str
    run_name: str
    experiment_id: str
    url: str | None
    left_out: tuple[str, ...]
    missing: tuple[str, ...]


def log_run(folder: Path, uri: str, experiment: str, run_name: str | None = None) -> LoggedRun:
    """Log what `pca` wrote: parameters, metrics, tags, and its files as artifacts.

    The run is FINISHED when all of it is there; it is FAILED if logging fails midway, or stays
    RUNNING if the server cannot be told that any more.

    Args:
        folder: Of the run, on this machine; with run.json in it.
        uri: The tracking server's address.
        experiment: Its name; made if there is none.
        run_name: None for the model, k and the start.

    Raises:
        WrongUseError: NOT_A_RUN, TRACKING_URI or TRACKING_EXPERIMENT.
        SightlineError: As ``check_server``, after at most some minutes.
    """
    facts = RunFacts.read(folder)
    again = shlex.join(
        ["sightline", "track", str(folder), "--mlflow", uri, "--experiment", experiment]
    )
    advice = f"{folder} is complete; when the server is there: {again}"
    name = run_name or facts.name
    artifacts = [folder / file for file in (*_FILES, _MODEL)]
    with connect(uri, PATIENT, advice) as client:
        found = open_experiment(client, experiment)
        run = client.create_run(
            found.experiment_id,
            start_time=_milliseconds(facts.started.timestamp()),
            tags=facts.tags | {"sightline.run_folder": str(folder.absolute())} | _user(),
            run_name=name,
        )
        with _failed_if_not_done(client, run.info.run_id):
            _log(client, run.info.run_id, facts)
            with artifact_errors(run.info.artifact_uri):
                for path in filter(Path.exists, artifacts):
                    _upload(client, run.info.run_id, path)
            end = _milliseconds(facts.ended.timestamp())
            client.set_terminated(run.info.run_id, "FINISHED", end_time=end)
    return LoggedRun(
        run_id=run.info.run_id,
        run_name=name,
        experiment_id=found.experiment_id,
        url=ui_url(uri, found.experiment_id, run.info.run_id),
        left_out=facts.left_out,
        missing=tuple(path.name for path in artifacts if not path.exists()),
    )


def _log(client: MlflowClient, run_id: str, facts: RunFacts) -> None:
    from mlflow.entities import Metric, Param

    end = _milliseconds(facts.ended.timestamp())
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, end, 0) for name, value in facts.metrics.items()],
        params=[Param(name, value) for name, value in facts.parameters.items()],
    )


def _upload(client: MlflowClient, run_id: str, path: Path) -> None:
    if path.is_dir():
        client.log_artifacts(run_id, str(path), path.name)
    else:
        client.log_artifact(run_id, str(path))


@contextlib.contextmanager
def _failed_if_not_done(client: MlflowClient, run_id: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Whatever it was, Ctrl-C too: half a run must not look like one. One try, no waiting.
        with environment(IMPATIENT), contextlib.suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise


def _user() -> dict[str, str]:
    # A container may run as a user that has no name.
    with contextlib.suppress(KeyError, OSError):
        return {"mlflow.user": getpass.getuser()}
    return {}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
