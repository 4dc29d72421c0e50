"""`sightline models add`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from sightline.bundle.find import writable_folder
from sightline.bundle.image_settings import INTERPOLATIONS
from sightline.bundle.manifest import is_model_name
from sightline.cli.calibration_run import calibration_options
from sightline.cli.models_add_images import (
    read_add_request,
    read_arguments,
    read_pixels,
    read_triple,
)
from sightline.cli.models_add_tensors import (
    TensorSource,
    find_tensor_source,
    read_tensor_request,
    source_options,
    tensor_options,
)
from sightline.cli.options import MODELS_HELP, PATH, SHARE
from sightline.errors import WrongUseError

if TYPE_CHECKING:
    from sightline.bundle.add_request import AddRequest
    from sightline.bundle.bundle import Bundle

    _Existing = Literal["refuse", "replace"]
    _Make = Callable[[Path, _Existing], Bundle]


@click.command(
    "add",
    epilog="""\b
Example:
  sightline models add mobilenet_v2 --architecture torchvision:mobilenet_v2
  sightline models add encoder --onnx encoder.onnx
  sightline models add digits --keras digits.keras --labels digits.txt
  sightline models add iris --sklearn iris.skops
  sightline models add prices --onnx prices.onnx --input photo=image \\
    --resize 224x224 --mean 0.5 --std 0.5
  sightline models add flowers --weights flowers.pth \\
    --architecture torchvision:resnet18 --labels labels.txt
  sightline models add signs --onnx signs.onnx --labels labels.txt \\
    --resize 256 --crop 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225""",
)
@click.argument("name")
@click.option(
    "--onnx",
    type=PATH,
    help="ONNX file. Weights in a file beside it are copied into the bundle's graph.",
)
@source_options
@click.option("--weights", type=PATH, help="Weights: a .safetensors file or a .pth state dict.")
@click.option(
    "--pretrained",
    metavar="NAME",
    default="",
    help="Weights that torchvision downloads, such as IMAGENET1K_V1. Default for an architecture "
    "of torchvision without --weights and --onnx: the weights that torchvision recommends.",
)
@click.option(
    "--architecture",
    default="",
    help="Network for the weights: torchvision:NAME, timm:NAME or package.module:function (this "
    "command runs its code).",
)
@click.option(
    "--architecture-arguments",
    type=read_arguments,
    metavar="JSON",
    default="{}",
    help="Keyword arguments of the architecture. num_classes is read from the weights.",
)
@click.option(
    "--labels",
    type=PATH,
    help="Text file with one label per line, of the output with class scores. For an architecture "
    "of torchvision or timm, this and the next six options default to the values of the library's "
    "own weights.",
)
@click.option(
    "--resize",
    type=read_pixels,
    metavar="N|HxW",
    help="Size of the resized image in pixels: 256, or height x width.",
)
@click.option(
    "--resize-mode",
    type=click.Choice(["shortest_edge", "stretch"]),
    help="shortest_edge keeps the proportions. Default: shortest_edge for one number, stretch for "
    "two.",
)
@click.option(
    "--crop",
    type=read_pixels,
    metavar="N|HxW",
    help="Size of the centre crop in pixels, or none.",
)
@click.option(
    "--interpolation",
    type=click.Choice(INTERPOLATIONS),
    help="Interpolation of the resize; default: bilinear.",
)
@click.option(
    "--mean",
    type=read_triple,
    metavar="R,G,B",
    help="Mean of each colour, 0 to 1, subtracted from the pixels.",
)
@click.option(
    "--std",
    type=read_triple,
    metavar="R,G,B",
    help="Standard deviation of each colour, 0 to 1, that the pixels are divided by.",
)
@click.option(
    "--activation",
    type=click.Choice(["auto", "softmax", "sigmoid", "none"]),
    default="auto",
    help="What turns the model's output into scores. softmax: the output is logits of classes; "
    "sigmoid: logits of labels, of which an image may have several; none: the output is "
    "probabilities; auto: decide from the output.",
)
@click.option(
    "--scores-output",
    metavar="NAME",
    default="",
    help="Output of the model that holds the scores, if several could.",
)
@tensor_options
@click.option("--description", default="", help="Description of the model, one line.")
@click.option("--licence", help="Licence of the weights, such as Apache-2.0.")
@click.option("--source", help="Origin of the weights, such as a URL.")
@click.option(
    "--accuracy",
    type=(str, click.IntRange(1), SHARE),
    multiple=True,
    metavar="DATASET ROWS TOP1",
    help="A measured top-1 accuracy, 0 to 1. May be repeated.",
)
@click.option("--no-export", is_flag=True, help="Do not make an ONNX variant from the weights.")
@click.option(
    "--calibrate",
    "calibrate_images",
    metavar="IMAGES",
    help="Calibrate reduced precision on these images, as `models calibrate` does. The next "
    "options belong to it.",
)
@calibration_options
@click.option("--models", type=PATH, help=MODELS_HELP)
@click.option("--overwrite", is_flag=True, help="Replace the model if it exists.")
def add(name: str, models: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Add model NAME from an ONNX file, from weights, or from a model of another framework.

    A model of any tensors, such as a text encoder, needs no more than its file: its inputs,
    outputs and free axes are found by running it. A classifier of images needs its labels and
    preprocessing, and its graph then includes the normalisation. From weights, an ONNX variant is
    exported too. If the network ends in a linear layer, the input of that layer becomes the
    model's features. Models of other frameworks are converted to ONNX.

    All variants must give the framework's own results for the golden batch: within 0.001, or within
    the rounding error for large scores and float16. Nothing is unpickled.
    """
    root, existing = writable_folder(models), _existing(given)
    exists = WrongUseError("MODEL_EXISTS", f"'{root / name}' exists. Use --overwrite.")
    if existing == "refuse" and is_model_name(name) and (root / name).exists():
        raise exists  # before torch is imported and weights are downloaded
    source = find_tensor_source(given)
    make = _add_images(name, given) if source is None else _add_tensors(name, given, source)
    if given["calibrate_images"] is None:
        print_bundle(make(root, existing))
        return
    from sightline.cli.calibration_run import Destination, run_calibration

    destination = Destination(root / name, name, exists if existing == "refuse" else None)
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
        draft = make(Path(folder), "refuse")
        # The user named the architecture's code in this command, which allows it.
        calibrated = run_calibration(
            draft, given["calibrate_images"], given, destination, allow_code=True
        )
    if calibrated is not None:
        print_bundle(calibrated)


def _add_images(name: str, given: dict[str, Any]) -> _Make:
    """Return what adds a classifier of images."""
    from sightline.bundle.add import add_bundle

    request, defaults = read_add_request(name, given)
    if defaults:
        click.echo(defaults)

    def make(root: Path, existing: _Existing) -> Bundle:
        made = add_bundle(request, root, existing)
        _print_arguments(made, request)
        return made

    return make


def _add_tensors(name: str, given: dict[str, Any], source: TensorSource) -> _Make:
    """Return what adds a model of any tensors."""
    request = read_tensor_request(name, given)

    def make(root: Path, existing: _Existing) -> Bundle:
        converted = source.convert(request)
        from sightline.bundle.add_tensors import add_tensors

        added = add_tensors(converted, request, root, existing, [source.path])
        for note in added.notes:
            click.echo(note)
        return added.bundle

    return make


def print_bundle(bundle: Bundle) -> None:
    """Print a new bundle's path, variants, sha256 and features."""
    variants = " and ".join(bundle.manifest.variants)
    only = "" if len(bundle.manifest.variants) > 1 else " only"
    click.echo(f"{bundle.path}: {variants}{only}, sha256 {bundle.sha256}")
    signature = bundle.manifest.signature
    features, pytorch = signature.vector, bundle.manifest.pytorch
    if signature.image is None or signature.classes is None:
        for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
            for one in tensors:
                click.echo(f"{kind} {one.tensor}, {one.kind}")
        return
    if features is None:
        why = (
            "the ONNX file has no second output with one vector per image"
            if pytorch is None
            else "the network does not end in one linear layer whose input is vectors"
        )
        click.echo(f"features: none; {why}")
        return
    head = f", the input of the layer {pytorch.head}" if pytorch and pytorch.head else ""
    length = features.tensor.row_shape[0]
    click.echo(f"features: {length} numbers per image, output {features.name}{head}")


def _existing(given: dict[str, Any]) -> _Existing:
    return "replace" if given["overwrite"] else "refuse"


def _print_arguments(bundle: Bundle, request: AddRequest) -> None:
    pytorch = bundle.manifest.pytorch
    found = {} if pytorch is None else dict(pytorch.arguments)
    for argument, value in found.items():
        if argument not in request.arguments:
            click.echo(f"{argument}: {value}, from the shapes of the weights")
