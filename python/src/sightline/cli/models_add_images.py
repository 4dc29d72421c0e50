"""The options of `models add` for a classifier of images, as a request for a bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.add_request import PIXELS_AS_THEY_ARE, RECOMMENDED, AddRequest
from sightline.bundle.image_options import NONE, read_preprocessing
from sightline.bundle.image_settings import Size
from sightline.bundle.labels import read_labels
from sightline.bundle.manifest import Accuracy
from sightline.errors import WrongUseError
from sightline.require_package import require_package

if TYPE_CHECKING:
    from sightline.bundle.recipe import Recipe

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
