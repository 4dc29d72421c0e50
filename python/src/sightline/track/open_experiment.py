"""The experiment that a run belongs to: the one of that name, or a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sightline.errors import WrongUseError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


def open_experiment(client: MlflowClient, name: str) -> Experiment:
    """The active experiment of this name, made if there is none.

    Raises:
        WrongUseError: TRACKING_EXPERIMENT, if it was deleted or the server takes no such name.
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
                message = f"the server takes no experiment '{name[:80]}': {why}"
                raise WrongUseError("TRACKING_EXPERIMENT", message) from error
        # Another run made it just now.
        experiment = client.get_experiment_by_name(name)
    if experiment is None or experiment.lifecycle_stage != "active":
        number = experiment.experiment_id if experiment else "?"
        raise WrongUseError(
            "TRACKING_EXPERIMENT",
            f"experiment '{name}' was deleted. Give another --experiment, or restore it on the "
            f"server with: mlflow experiments restore --experiment-id {number}.",
        )
    return experiment
