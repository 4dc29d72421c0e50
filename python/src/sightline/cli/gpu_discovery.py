"""`sightline gpu-discovery`."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import click

from sightline.cli.options import PATH
from sightline.errors import WrongUseError


@click.command(name="gpu-discovery")
@click.option("--script", required=True, type=PATH, help="File to write, such as gpu_discovery.sh.")
def gpu_discovery(script: Path) -> None:
    """Write the script that tells Spark the GPUs of a machine.

    The script needs only sh and nvidia-smi. Spark runs it on each node and reads the addresses that
    it prints, such as {"name":"gpu","addresses":["0","1"]}. This command prints Spark's settings
    for it.

    \b
    Example:
      sightline gpu-discovery --script gpu_discovery.sh
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    text = importlib.resources.files("sightline").joinpath("gpu_discovery.sh").read_text("utf-8")
    try:
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)
    except OSError as error:
        raise WrongUseError(
            "OUTPUT_NOT_WRITABLE", f"{script} cannot be written: {error.strerror}."
        ) from error
    path = json.dumps(str(script.resolve()))[1:-1]
    click.echo(
        f"--conf spark.executor.resource.gpu.amount=1 "
        f"--conf spark.executor.resource.gpu.discoveryScript={path}"
    )
