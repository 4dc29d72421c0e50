"""`sightline track`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sightline.cli.options import PATH


@click.command()
@click.argument("run", type=PATH, required=False)
@click.option(
    "--mlflow", "uri", required=True, help="Address of a server, such as http://127.0.0.1:5000."
)
@click.option(
    "--experiment", required=True, help="Name of the experiment; it is created if it is new."
)
@click.option("--run-name", help="Name of the MLflow run; default: model, k and start time.")
@click.option(
    "--check", is_flag=True, help="Only check that the server would accept a run; takes no RUN."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def track(
    *,
    run: Path | None,
    uri: str,
    experiment: str,
    run_name: str | None,
    check: bool,
    as_json: bool,
) -> None:
    """Log RUN, an output folder of pca or train, to an MLflow server.

    Logs the parameters, the metrics, the page, the chart and the model of the run; of a training
    also the metrics of each epoch.

    \b
    Example:
      sightline track fruits_pca --mlflow http://127.0.0.1:5000 --experiment fruits
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    from sightline.track.experiment import check_server
    from sightline.track.log_run import log_run
    from sightline.track.log_training import SETTINGS_FILE, log_training

    if (run is None) != check:
        message = "Give either RUN, which is logged, or --check, which logs nothing."
        raise click.UsageError(message, click.get_current_context())
    result: dict[str, Any]
    if run is None:
        result = {**check_server(uri, experiment)}
    else:
        log = log_training if (run / SETTINGS_FILE).is_file() else log_run
        result = asdict(log(run, uri, experiment, run_name))
    if as_json:
        click.echo(json.dumps(result))
        return
    for name, value in result.items():
        if value:
            shown = ", ".join(value) if isinstance(value, tuple) else value
            click.echo(f"{name.replace('_', ' '):<14} {shown}")
