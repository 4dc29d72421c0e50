"""Whether a tracking server would take a run, asked before any work."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.track.artifact_errors import artifact_errors
from sightline.track.connect import IMPATIENT, connect
from sightline.track.open_experiment import open_experiment
from sightline.track.ui_url import ui_url

if TYPE_CHECKING:
    from mlflow.entities import Experiment


def check_server(uri: str, experiment: str) -> dict[str, str | None]:
    """Open the experiment, and write a file where its artifacts go, which is deleted again.

    Returns:
        ``uri``, ``experiment``, ``experiment_id``, ``artifacts`` (where they go) and ``url`` (the
        experiment's page; None without a server).

    Raises:
        WrongUseError: TRACKING_URI or TRACKING_EXPERIMENT.
        SightlineError: MISSING_PACKAGE, TRACKING_UNREACHABLE, TRACKING_REFUSED, TRACKING_FAILED or
            TRACKING_ARTIFACTS; within seconds, half a minute where a network drops everything.
    """
    advice = "Start it, or let pca go on without it by --mlflow-optional."
    with connect(uri, IMPATIENT, advice) as client:
        found = open_experiment(client, experiment)
        _try_artifacts(uri, found)
    return {
        "uri": uri,
        "experiment": found.name,
        "experiment_id": found.experiment_id,
        "artifacts": found.artifact_location,
        "url": ui_url(uri, found.experiment_id),
    }


def _try_artifacts(uri: str, experiment: Experiment) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    name = f"sightline-check-{uuid.uuid4().hex}.txt"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_text("Sightline has asked whether artifacts can be written here.\n", "utf-8")
        with artifact_errors(experiment.artifact_location):
            place: Any = get_artifact_repository(experiment.artifact_location, tracking_uri=uri)
            place.log_artifact(str(file))
        # Some stores delete nothing; then the file says why it is there.
        with contextlib.suppress(Exception):
            place.delete_artifacts(name)
