"""`sightline models calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sightline.cli.calibration_run import calibration_options
from sightline.cli.options import ALLOW_CODE_HELP, IMAGES_HELP, MODELS_HELP, PATH
from sightline.errors import WrongUseError


@click.command(
    "calibrate",
    epilog="""\b
Example:
  sightline models calibrate efficientnet_lite0 --images photographs/labels.csv \\
    --backend openvino --precision bf16,int8 --overwrite""",
)
@click.argument("name")
@click.option("--images", required=True, help=f"{IMAGES_HELP} Labels are used if there are any.")
@calibration_options
@click.option("--as", "new_name", metavar="NAME", help="Write the calibrated model as NAME.")
@click.option(
    "--overwrite", is_flag=True, help="Replace the model, or the one that --as names, if it exists."
)
@click.option("--allow-code", is_flag=True, help=ALLOW_CODE_HELP)
@click.option("--models", type=PATH, help=MODELS_HELP)
def calibrate(name: str, images: str, models: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Compare faster modes of model NAME with fp32, on your images.

    A mode is a backend and a precision (bf16 or int8). The command measures how often each mode
    gives the same class as fp32. Modes that agree often enough are recorded in the model's
    manifest, and `predict` accepts only recorded modes. This changes the model's sha256. Without
    --overwrite and --as, the measurements are only printed.
    """
    from sightline.bundle.bundle import Bundle
    from sightline.bundle.find import find_bundle, writable_folder
    from sightline.bundle.manifest import is_model_name
    from sightline.cli.calibration_run import Destination, run_calibration

    bundle = find_bundle(name, models)
    new_name, overwrite = given["new_name"], given["overwrite"]
    destination = None
    if new_name is not None:
        if not is_model_name(new_name):
            raise WrongUseError(
                "WRONG_MODEL_NAME",
                f"'{new_name}': a model's name has letters, digits, '_', '-' and '.' only.",
            )
        folder = writable_folder(models) / new_name
        exists = WrongUseError("MODEL_EXISTS", f"'{folder}' exists. Use --overwrite.")
        if folder.exists() and not overwrite:
            raise exists
        destination = Destination(folder, new_name, None if overwrite else exists)
    elif overwrite:
        if not bundle.path.is_dir():
            raise WrongUseError(
                "WRONG_ARGUMENTS",
                f"{bundle.path} is a zip file, which --overwrite does not change. Use --as NAME.",
            )
        destination = Destination(bundle.path, bundle.name, None)
    published = run_calibration(bundle, images, given, destination, allow_code=given["allow_code"])
    if isinstance(published, Bundle):
        click.echo(f"{published.path}: sha256 {published.sha256}")
