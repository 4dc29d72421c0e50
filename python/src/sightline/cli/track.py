"""`sightline track`: its options, and what it prints at the end."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--mlflow", "uri", required=True, help="Address of an MLflow tracking server.")
@click.option("--experiment", required=True, help="Its name; made if there is none.")
@click.option("--run-name", help="By default the model, k and the start.")
@click.option("--check", is_flag=True, help="Log nothing: ask whether the server would take a run.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def track(
    *,
    run: Path | None,
    uri: str,
    experiment: str,
    run_name: str | None,
    check: bool,
    as_json: bool,
) -> None:
    """Log RUN, a folder written by pca, to an MLflow tracking server.

    \b
    Example:
      sightline track fruits_pca --mlflow http://127.0.0.1:5000 --experiment fruits
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    from sightline.track.check_server import check_server
    from sightline.track.log_run import log_run

    if (run is None) != check:
        message = "RUN is what is logged, and --check logs nothing: give one of the two."
        raise click.UsageError(message, click.get_current_context())
    told = (
        check_server(uri, experiment)
        if run is None
        else asdict(log_run(run, uri, experiment, run_name))
    )
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        if value:
            shown = ", ".join(value) if isinstance(value, tuple) else value
            click.echo(f"{name.replace('_', ' '):<14} {shown}")
