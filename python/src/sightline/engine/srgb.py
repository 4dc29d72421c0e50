"""Converts images with an embedded ICC profile to sRGB, the colour space of training images."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, features

from sightline.errors import WrongUseError

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

ColourSpace = Literal["RGB ", "GRAY", "CMYK"]  # as a profile's header names them

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_SPACE_BYTES = slice(16, 20)
# The largest profiles of printing presses have 2.6 MB.
_MOST_PROFILE_BYTES = 2**22
# sRGB profiles of different vendors differ by up to this much, on a scale of 0..255.
_SRGB_TOLERANCE = 2
_GRID_STEPS = 9
_PROFILES_KEPT = 16


def profile_of(image: Image.Image, space: ColourSpace) -> bytes | None:
    """Return the image's ICC profile if it is for `space` and changes colours.

    Args:
        image: Pillow stores its profile as ``info["icc_profile"]``.
        space: Colour space of the samples. A profile for another space does not apply to them.

    Returns:
        None if there is no profile, it is sRGB, or it cannot be used.

    Raises:
        WrongUseError: MISSING_PACKAGE if there is a profile and Pillow has no LittleCMS.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or profile[_SPACE_BYTES] != space.encode():
        return None
    return None if _transform(profile) is None else profile


def to_srgb(image: Image.Image) -> Image.Image:
    """Convert an image to sRGB with the perceptual intent, like browsers.

    Args:
        image: Mode RGB, L or CMYK, with its profile in ``info["icc_profile"]``.

    Returns:
        Mode RGB, or `image` itself if `profile_of` returns None.
    """
    if "icc_profile" not in image.info:
        return image
    spaces: dict[str, ColourSpace] = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
    profile = profile_of(image, spaces[image.mode])
    transform = None if profile is None else _transform(profile)
    if transform is None:
        return image
    from PIL import ImageCms

    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # noqa: S101 - it is None only where it works in place
    converted.info = {}
    return converted


@lru_cache(_PROFILES_KEPT)
def _transform(profile: bytes) -> ImageCmsTransform | None:
    """Return the transform to sRGB; None if the profile is sRGB or cannot be used."""
    if len(profile) > _MOST_PROFILE_BYTES:
        return None
    if not features.check("littlecms2"):
        raise WrongUseError(
            "MISSING_PACKAGE",
            "an image has a colour profile, and this Pillow was built without LittleCMS, which "
            "converts it. Install Pillow's own wheel: pip install --force-reinstall pillow.",
        )
    from PIL import ImageCms

    mode = _MODES[profile[_SPACE_BYTES].decode()]
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "CMYK":
        return transform
    samples = _samples(mode)
    converted = np.asarray(ImageCms.applyTransform(samples, transform)).astype(int)
    change = np.abs(converted - np.asarray(samples.convert("RGB"))).max()
    return None if change <= _SRGB_TOLERANCE else transform


def _samples(mode: str) -> Image.Image:
    """Return an image with a grid of the RGB cube and all greys; for mode L, all greys."""
    greys = np.arange(256, dtype=np.uint8)
    if mode == "L":
        return Image.fromarray(greys[None])
    steps = np.linspace(0, 255, _GRID_STEPS).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    colours = np.concatenate([cube, np.repeat(greys[:, None], 3, axis=1)])
    return Image.fromarray(colours[None])  # (1, colours, 3)
