"""`sightline doctor`."""

from __future__ import annotations

import json
from os import PathLike

import click

from sightline.cli.options import AT_LEAST_1, PATH
from sightline.errors import SightlineError


@click.command(
    epilog="""\b
Examples:
  sightline doctor
  sightline doctor --model id_fraud --device cuda --output predictions --json"""
)
@click.option("--model", help="Name of a model, or path of its bundle, to check too.")
@click.option("--models", type=PATH, help="Folder to search first for the model.")
@click.option("--backend", default="onnx", show_default=True, help="onnx, openvino or pytorch.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--output", type=PATH, help="Folder of a run's result; nothing is left there.")
@click.option("--batch-rows", type=AT_LEAST_1, help="Rows in a batch; default: as in `predict`.")
@click.option("--threads", type=AT_LEAST_1, help="Worker threads; default: one for each core.")
@click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
def doctor(
    as_json_: bool,  # noqa: FBT001 - click's flag
    **given: object,
) -> None:
    """Check this machine and interpreter for a run without Spark, with a fix for each finding.

    The exit status is 1 if a finding is a blocker. `spark-submit sightline.jar doctor` checks a
    set-up of Spark, and with --executors the nodes of a cluster.
    """
    from sightline.doctor.examine import Request, examine
    from sightline.doctor.finding import as_json, as_text, summary

    texts = {name: str(value) for name, value in given.items() if isinstance(value, str | PathLike)}
    numbers = {name: value for name, value in given.items() if isinstance(value, int)}
    findings = examine(Request(**texts, **numbers))  # type: ignore[arg-type]
    click.echo(json.dumps(as_json(findings), indent=2) if as_json_ else as_text(findings))
    if any(one.severity == "blocker" for one in findings):
        raise SightlineError("SETUP_BLOCKED", summary(findings))
