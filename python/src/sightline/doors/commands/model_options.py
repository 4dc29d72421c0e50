"""Reading the values of `models add`'s options."""

from __future__ import annotations

import json
from typing import Any

import click

from sightline.bundle.manifest import Preprocessing, Resize, Size
from sightline.errors import WrongUseError

_LARGEST_SIDE = 16_384


def read_pixels(text: str) -> Size | int | None:
    """`224` is an edge, `224x160` height and width, `none` nothing."""
    if text.lower() == "none":
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(
        one.isdecimal() and 0 < int(one) <= _LARGEST_SIDE for one in parts
    ):
        raise click.BadParameter(f"'{text}' must be pixels, 224, or height x width, 224x160.")
    return int(text) if len(parts) == 1 else Size(int(parts[0]), int(parts[1]))


def read_triple(text: str) -> tuple[float, float, float]:
    """Three numbers in 0..1 with commas, one per colour, or one number for all three."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"'{text}' must be three numbers: 0.5,0.5,0.5.") from error
    numbers *= 3 if len(numbers) == 1 else 1
    if len(numbers) != 3 or not all(0 <= number <= 1 for number in numbers):
        raise click.BadParameter(f"'{text}' must be three numbers within 0..1 (divide by 255).")
    return numbers[0], numbers[1], numbers[2]


def read_arguments(text: str) -> dict[str, object]:
    """A JSON object of keyword arguments."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}.") from error
    if not isinstance(arguments, dict):
        raise click.BadParameter('must be an object, such as {"num_classes": 5}.')
    return arguments


def read_preprocessing(given: dict[str, Any]) -> Preprocessing:
    """The preprocessing that the options describe together.

    Raises:
        WrongUseError: BAD_PREPROCESSING if they contradict each other.
    """
    resize, crop, mode = given["resize"], given["crop"], given["resize_mode"]
    if resize is None:
        raise WrongUseError("BAD_PREPROCESSING", "--resize must be pixels, such as 256.")
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
