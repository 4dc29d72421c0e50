"""`--mlflow`, `--experiment` and `--run-name` of a command that logs its own result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.options import add_options

if TYPE_CHECKING:
    from sightline.track.log_run import LoggedRun

mlflow_options = add_options(
    click.option("--mlflow", "uri", help="Log the run to this MLflow server."),
    click.option("--experiment", help="Experiment on that server; it is created if it is new."),
    click.option("--run-name", help="Name of the MLflow run; default: model and start time."),
)
"""Decorator that adds the options to a click command."""


class MlflowLog:
    """Logs the result to MLflow, if the options name a server, which is checked at once.

    Args:
        given: Values of `mlflow_options`, by parameter name.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._uri, self._experiment = given["uri"], given["experiment"]
        self._run_name = given["run_name"]
        if (self._uri is None) != (self._experiment is None):
            message = "--mlflow and --experiment go together."
            raise click.UsageError(message, click.get_current_context())
        if self._uri is not None:
            from sightline.track.experiment import check_server

            check_server(self._uri, self._experiment)

    def log(self, output: Path, log: Callable[[Path, str, str, str | None], LoggedRun]) -> None:
        """Log an output folder with `log`, and print the address of the run's page."""
        if self._uri is not None:
            logged = log(output, self._uri, self._experiment, self._run_name)
            click.echo(f"mlflow     {logged.url or logged.run_id}")
