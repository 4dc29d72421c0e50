"""Convert the options of `models add` to a request for a new bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.add_request import PIXELS_AS_THEY_ARE, RECOMMENDED, AddRequest
from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.bundle.labels import read_labels
from sightline.bundle.manifest import Accuracy
from sightline.errors import WrongUseError
from sightline.require_package import require_package

if TYPE_CHECKING:
    from sightline.bundle.recipe import Recipe

NONE = "none"
_LARGEST_SIDE = 16_384


def read_pixels(text: str) -> Size | int | str:
    """Return 224 for `224`, the height and width for `224x160`, NONE for `none`.

    Raises:
        click.BadParameter: For other texts, and for edges outside 1..16384.
    """
    if text.lower() == NONE:
        return NONE
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(
        one.isdecimal() and 0 < int(one) <= _LARGEST_SIDE for one in parts
    ):
        raise click.BadParameter(f"'{text}' must be pixels, 224, or height x width, 224x160.")
    return int(text) if len(parts) == 1 else Size(int(parts[0]), int(parts[1]))


def read_triple(text: str) -> tuple[float, float, float]:
    """Return a number in 0..1 for each colour, from one number or three with commas between.

    Raises:
        click.BadParameter: For other texts.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"'{text}' must be three numbers: 0.5,0.5,0.5.") from error
    numbers *= 3 if len(numbers) == 1 else 1
    if len(numbers) != 3 or not all(0 <= number <= 1 for number in numbers):
        raise click.BadParameter(f"'{text}' must be three numbers within 0..1 (divide by 255).")
    return numbers[0], numbers[1], numbers[2]


def read_arguments(text: str) -> dict[str, object]:
    """Return the keyword arguments in a JSON object.

    Raises:
        click.BadParameter: If the text is not a JSON object.
    """
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}.") from error
    if not isinstance(arguments, dict):
        raise click.BadParameter('must be an object, such as {"num_classes": 5}.')
    return arguments


def read_add_request(name: str, given: dict[str, Any]) -> tuple[AddRequest, str]:
    """Return the request that the options describe.

    Labels and preprocessing default to those of the weights that torchvision or timm offers for
    the architecture.

    Args:
        name: Name of the new model.
        given: Option values by parameter name.

    Returns:
        The request, and one line that lists the defaults it uses; empty if it uses none.

    Raises:
        WrongUseError: NO_SOURCE, BAD_LABELS, BAD_PREPROCESSING, or from `find_recipe` and
            `takes_pixels`.
        click.UsageError: If an option is missing.
    """
    from sightline.bundle.recipe import find_recipe

    pretrained = _pretrained(given)
    recipe = find_recipe(given["architecture"], pretrained)
    labels = read_labels(given["labels"]) if given["labels"] else recipe.labels if recipe else ()
    given = given | _own_normalisation(given)
    missing = [] if labels else ["--labels"]
    if recipe is None:
        missing += [f"--{one}" for one in ("resize", "mean", "std") if given[one] is None]
    if missing:
        raise click.UsageError(
            f"{', '.join(missing)} must be given. They have defaults only for an architecture of "
            "torchvision or timm with its own weights. (--mean and --std are not needed for an "
            "ONNX file that takes uint8 pixels.)"
        )
    own = recipe if recipe and pretrained else None
    request = AddRequest(
        name=name,
        labels=labels,
        preprocessing=read_preprocessing(given, recipe.preprocessing if recipe else None),
        onnx=given["onnx"],
        weights=given["weights"],
        pretrained=pretrained,
        architecture=given["architecture"],
        arguments={**(own.arguments if own else {}), **given["architecture_arguments"]},
        activation=given["activation"],
        scores_output=given["scores_output"],
        export="nothing" if given["no_export"] else "onnx",
        description=given["description"],
        licence=given["licence"] or (own.licence if own else "not stated"),
        source=given["source"] or (own.source if own else "not stated"),
        accuracy=tuple(Accuracy(*one) for one in given["accuracy"]),
    )
    return request, _defaults(given, request, recipe)


def _own_normalisation(given: dict[str, Any]) -> dict[str, Any]:
    """Mean and std for an ONNX file that takes uint8 pixels and so normalises them itself."""
    alone = given["onnx"] and not given["architecture"]
    left = {
        one: value
        for one, value in zip(("mean", "std"), PIXELS_AS_THEY_ARE, strict=True)
        if given[one] is None
    }
    if not alone or not left:
        return {}
    require_package("onnx", install="sightline[add]", purpose="models add")
    from sightline.bundle.graph import takes_pixels

    return left if takes_pixels(given["onnx"]) else {}


def read_preprocessing(given: dict[str, Any], recipe: Preprocessing | None = None) -> Preprocessing:
    """Return the preprocessing that the options describe.

    Args:
        given: Option values by parameter name; None for options that the user left out.
        recipe: Defaults for those.

    Raises:
        WrongUseError: BAD_PREPROCESSING if they contradict each other.
    """
    resize, crop, mode = given["resize"], given["crop"], given["resize_mode"]
    if resize is None and recipe is not None:
        mode = mode or recipe.resize.mode
        size = Size(recipe.resize.height, recipe.resize.width)
    elif resize in (None, NONE):
        raise WrongUseError("BAD_PREPROCESSING", "--resize must be pixels, such as 256.")
    else:
        mode = mode or ("shortest_edge" if isinstance(resize, int) else "stretch")
        size = Size(resize, resize) if isinstance(resize, int) else resize
    # A height and width to stretch to is the size of the model's input, so no crop follows it.
    if crop is None and recipe and mode == recipe.resize.mode and not isinstance(resize, Size):
        crop = recipe.crop
    crop = None if crop == NONE else Size(crop, crop) if isinstance(crop, int) else crop
    if mode == "shortest_edge" and (crop is None or size.height != size.width):
        raise WrongUseError(
            "BAD_PREPROCESSING",
            "--resize-mode shortest_edge needs one number for --resize, and needs --crop. To use "
            "no crop, choose --resize-mode stretch.",
        )
    if recipe and crop and (crop.height > size.height or crop.width > size.width):
        raise WrongUseError(
            "BAD_PREPROCESSING",
            f"the crop, {crop.height} x {crop.width}, is larger than the resized image, "
            f"{size.height} x {size.width}. Give both --resize and --crop.",
        )
    rest = {one: given[one] for one in ("mean", "std", "interpolation") if given[one] is not None}
    if recipe is not None:
        own = {"mean": recipe.mean, "std": recipe.std}
        rest = {**own, "interpolation": recipe.resize.interpolation, **rest}
    if min(rest["std"]) <= 0:
        raise WrongUseError("BAD_PREPROCESSING", "--std must be above 0.")
    return Preprocessing(
        color="RGB",
        resize=Resize(mode, size.height, size.width, rest.get("interpolation", "bilinear")),
        crop=crop,
        mean=rest["mean"],
        std=rest["std"],
    )


def _pretrained(given: dict[str, Any]) -> str:
    """Name of the weights to download; empty if the user gives other weights."""
    name: str = given["pretrained"]
    if name and given["weights"]:
        raise WrongUseError(
            "NO_SOURCE",
            "--weights and --pretrained both choose the weights. Give only one of them.",
        )
    others = given["weights"] or given["onnx"]
    if not name and not others and given["architecture"].startswith("torchvision:"):
        return RECOMMENDED
    return name


def _defaults(given: dict[str, Any], request: AddRequest, recipe: Recipe | None) -> str:
    """One line that lists the options whose values come from the recipe."""
    options = ["labels", "resize", "crop", "interpolation", "mean", "std"]
    if recipe and request.preprocessing.crop != recipe.preprocessing.crop:
        options.remove("crop")
    left = [one for one in options if given[one] is None]
    return f"{', '.join(left)}: those of {recipe.origin}" if recipe and left else ""
