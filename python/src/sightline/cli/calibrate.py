"""`sightline models calibrate`: measure how often a cheaper mode of a model agrees with fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sightline.cli.allow_code import ALLOW_CODE
from sightline.cli.calibration_options import calibration_options
from sightline.errors import WrongUseError


@click.command(
    "calibrate",
    epilog="""\b
Example:
  sightline models calibrate efficientnet_lite0 --images photographs/labels.csv \\
    --backend openvino --precision bf16,int8 --decoder pillow,scaled --overwrite""",
)
@click.argument("name")
@click.option(
    "--images", required=True, help="Folder, glob, or table, with labels where there are any."
)
@calibration_options
@click.option("--as", "new_name", metavar="NAME", help="Write it as another model.")
@click.option("--overwrite", is_flag=True, help="Replace the model itself, or the one named --as.")
@click.option("--allow-code", is_flag=True, help=ALLOW_CODE)
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    help="Folder of bundles; default: SIGHTLINE_MODELS, else ./models.",
)
def calibrate(name: str, images: str, models: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Measure how often bf16, int8 or another decoder name the class that fp32 names.

    Makes the int8 graph where int8 is asked for. What agrees well enough is written into the
    model's manifest, which gives it another sha256; nothing else may be run below fp32. Without
    --overwrite and --as it only measures.
    """
    from sightline.bundle.bundle import Bundle
    from sightline.bundle.find import find_bundle, writable_folder
    from sightline.bundle.manifest import is_model_name
    from sightline.cli.run_calibration import Destination, run_calibration

    bundle = find_bundle(name, models)
    new_name, overwrite = given["new_name"], given["overwrite"]
    destination = None
    if new_name is not None:
        if not is_model_name(new_name):
            raise WrongUseError(
                "WRONG_MODEL_NAME",
                f"'{new_name}': a model's name is letters, digits, '_', '-' and '.'.",
            )
        folder = writable_folder(models) / new_name
        there = WrongUseError("MODEL_EXISTS", f"'{folder}' is there already. Use --overwrite.")
        if folder.exists() and not overwrite:
            raise there
        destination = Destination(folder, new_name, None if overwrite else there)
    elif overwrite:
        if not bundle.path.is_dir():
            raise WrongUseError("WRONG_ARGUMENTS", f"{bundle.path} is a zip file. Use --as NAME.")
        destination = Destination(bundle.path, bundle.name, None)
    published = run_calibration(bundle, images, given, destination, allow_code=given["allow_code"])
    if isinstance(published, Bundle):
        click.echo(f"{published.path}: sha256 {published.sha256}")
