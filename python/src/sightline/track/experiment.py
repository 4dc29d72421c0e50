"""The experiment of a run: open or create it, and check that the server accepts artifacts."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.errors import WrongUseError
from sightline.track.client import IMPATIENT, artifact_errors, connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


def open_experiment(client: MlflowClient, name: str) -> Experiment:
    """Return the active experiment of this name; create it if there is none.

    Raises:
        WrongUseError: TRACKING_EXPERIMENT if it was deleted, or the server rejects the name.
    """
    from mlflow.exceptions import MlflowException

    if not name.strip():
        raise WrongUseError("TRACKING_EXPERIMENT", "--experiment is empty. Give it a name.")
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return client.get_experiment(client.create_experiment(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                if error.error_code not in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
                    raise
                why = " ".join(str(error).split())[:500]
                message = f"the server rejects the experiment '{name[:80]}': {why}"
                raise WrongUseError("TRACKING_EXPERIMENT", message) from error
        # Another run has just created it.
        experiment = client.get_experiment_by_name(name)
    if experiment is None or experiment.lifecycle_stage != "active":
        number = experiment.experiment_id if experiment else "?"
        raise WrongUseError(
            "TRACKING_EXPERIMENT",
            f"experiment '{name}' was deleted. Give another --experiment, or restore it on the "
            f"server with: mlflow experiments restore --experiment-id {number}.",
        )
    return experiment


def check_server(uri: str, experiment: str) -> dict[str, str | None]:
    """Check before a run that the server would log it.

    Opens the experiment, writes a file to its artifacts, and deletes the file.

    Returns:
        ``uri``, ``experiment``, ``experiment_id``, ``artifacts`` (their URI) and ``url`` (the
        experiment's page; None without a web server).

    Raises:
        WrongUseError: TRACKING_URI, TRACKING_EXPERIMENT or MISSING_PACKAGE.
        SightlineError: TRACKING_UNREACHABLE, TRACKING_REFUSED, TRACKING_FAILED or
            TRACKING_ARTIFACTS. It takes seconds; half a minute if a firewall drops all packets.
    """
    advice = "Start it, or let pca continue without it by --mlflow-optional."
    with connect(uri, IMPATIENT, advice) as client:
        found = open_experiment(client, experiment)
        _try_artifacts(uri, found)
    return {
        "uri": uri,
        "experiment": found.name,
        "experiment_id": found.experiment_id,
        "artifacts": found.artifact_location,
        "url": page_url(uri, found.experiment_id),
    }


def page_url(uri: str, experiment_id: str, run_id: str | None = None) -> str | None:
    """Return the web page of an experiment or of a run in it; None without a web server."""
    if not uri.startswith(("http://", "https://")):
        return None
    page = f"{uri.rstrip('/')}/#/experiments/{experiment_id}"
    return page if run_id is None else f"{page}/runs/{run_id}"


def _try_artifacts(uri: str, experiment: Experiment) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    name = f"sightline-check-{uuid.uuid4().hex}.txt"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_text("Sightline has checked that artifacts can be written here.\n", "utf-8")
        with artifact_errors(experiment.artifact_location):
            place: Any = get_artifact_repository(experiment.artifact_location, tracking_uri=uri)
            place.log_artifact(str(file))
        # Some stores cannot delete; then the file's text explains it.
        with contextlib.suppress(Exception):
            place.delete_artifacts(name)
