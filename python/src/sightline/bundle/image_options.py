"""The preprocessing of images, from the values of options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.errors import WrongUseError

NONE = "none"


def read_preprocessing(
    given: Mapping[str, Any], recipe: Preprocessing | None = None
) -> Preprocessing:
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
