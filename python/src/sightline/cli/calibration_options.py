"""The options of a calibration, which `models add` and `models calibrate` have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from sightline.bundle.calibration import (
    DEFAULT_MAX_TOP1_LOSS,
    DEFAULT_MIN_AGREEMENT,
    DEFAULT_MIN_IMAGES,
)
from sightline.cli.image_options import file_options
from sightline.cli.share import Share
from sightline.errors import WrongUseError


def calibration_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them to a click command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return file_options(command)


def read_names(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    """Names with commas between, each a known one; none for an empty text.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, UNKNOWN_PRECISION or UNKNOWN_DECODER, by the option.
    """
    names = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for name in names:
        if name not in known:
            condition = f"UNKNOWN_{option.removeprefix('--').upper()}"
            raise WrongUseError(condition, f"{option} '{name}'. Known: {', '.join(known)}.")
    return names


_OPTIONS = (
    click.option(
        "--range-images",
        metavar="IMAGES",
        help="Other images that set the ranges of int8; default: up to 64 of the given ones, "
        "which are then not compared.",
    ),
    click.option(
        "--backend",
        "backends",
        metavar="NAMES",
        default="",
        help="With commas between; default: all that can run the model and are installed.",
    ),
    click.option(
        "--precision",
        "precisions",
        metavar="NAMES",
        default="bf16,int8",
        show_default=True,
        help="With commas between: fp32, bf16, int8.",
    ),
    click.option(
        "--decoder",
        "decoders",
        metavar="NAMES",
        default="pillow",
        show_default=True,
        help="With commas between: pillow, turbo, scaled.",
    ),
    click.option(
        "--min-agreement",
        type=Share(),
        default=DEFAULT_MIN_AGREEMENT,
        show_default=True,
        help="Share of the images that must get fp32's class.",
    ),
    click.option(
        "--max-top1-loss",
        type=Share(),
        default=DEFAULT_MAX_TOP1_LOSS,
        show_default=True,
        help="How far top-1 may fall, where true labels are known.",
    ),
    click.option(
        "--min-images",
        type=click.IntRange(1),
        default=DEFAULT_MIN_IMAGES,
        show_default=True,
        help="Images that must be compared.",
    ),
    click.option(
        "--keep-passing",
        is_flag=True,
        help="Where some lie under the threshold, write down the others all the same.",
    ),
)
