"""Converts decoded images of any mode and with any colour profile to 8-bit RGB in sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, features

from sightline.errors import WrongUseError

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

ColourSpace = Literal["RGB ", "GRAY", "CMYK"]  # names in a profile's header

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_SPACE_BYTES = slice(16, 20)
# The largest profiles of printing presses are 2.6 MB.
_MOST_PROFILE_BYTES = 2**22
# sRGB profiles of different vendors differ by up to this much, on a scale of 0..255.
_SRGB_TOLERANCE = 2
_GRID_STEPS = 9
_PROFILES_KEPT = 16
_CONVERTIBLE = {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV"}
_RGB_SAMPLES = {"P", "PA", "RGB", "RGBA", "RGBX"}
_GREY_SAMPLES = {"L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N"}
_TIFF_BITS_PER_SAMPLE = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_WHITE_IS_ZERO = 0
_WHITE = 255


class UnsupportedPixelsError(Exception):
    """The samples have no standard 8-bit value (floats, 32-bit integers, Lab)."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a loaded image to RGB.

    Args:
        image: Loaded, any mode of Pillow.

    Returns:
        Mode RGB. 16-bit samples keep their high byte. Transparent pixels are drawn on white.
        `with_profile` describes the colours.

    Raises:
        UnsupportedPixelsError: If the mode has no standard conversion.
    """
    if image.mode == "CMYK" and profile_of(image, "CMYK"):
        return to_srgb(image)
    return with_profile(_samples(image), image)


def with_profile(rgb: Image.Image, image: Image.Image) -> Image.Image:
    """Copy the file's colour profile to its pixels, or apply the profile.

    Converting a photograph costs as much as decoding it, but a hundredth of that after the resize.
    So a profile for RGB samples is only copied, and `to_srgb` applies it later. A profile for grey
    samples is applied now, because it does not fit RGB pixels.

    Args:
        rgb: The decoded pixels; may be `image` itself, whose `info` is then replaced.
        image: The opened file.

    Returns:
        `rgb`, or a new image of mode RGB. Its `info` is empty or holds only ``icc_profile``.
    """
    if image.mode in _GREY_SAMPLES:
        profile = profile_of(image, "GRAY")
        if profile is not None:
            grey = rgb.getchannel("R")
            grey.info = {"icc_profile": profile}
            return to_srgb(grey)
    profile = profile_of(image, "RGB ") if image.mode in _RGB_SAMPLES else None
    rgb.info = {} if profile is None else {"icc_profile": profile}
    return rgb


def _samples(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _from_integers(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        rgb = Image.new("RGB", image.size, (_WHITE, _WHITE, _WHITE))
        rgb.paste(rgba, mask=rgba.getchannel("A"))
        return rgb
    if image.mode not in _CONVERTIBLE:
        message = f"Pixels of mode {image.mode!r} have no standard 8-bit value."
        raise UnsupportedPixelsError(message)
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_integers(image: Image.Image) -> Image.Image:
    if image.mode == "I" and image.format != "PNG":
        raise UnsupportedPixelsError("32-bit integer samples have no standard 8-bit value.")
    samples = np.asarray(image)  # (height, width) uint16; int32 for mode I, values of 16 bits
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_TIFF_BITS_PER_SAMPLE, (16,))[0]
    grey = (samples >> (bits - 8)).astype(np.uint8)
    if tags.get(_TIFF_PHOTOMETRIC) == _TIFF_WHITE_IS_ZERO:
        grey = _WHITE - grey
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey = np.where(samples == transparent, np.uint8(_WHITE), grey)
    return Image.fromarray(grey).convert("RGB")


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
    """Convert an image to sRGB with the perceptual intent, as browsers do.

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
    assert converted is not None  # noqa: S101 - it is None only if it works in place
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
    samples = _probe(mode)
    converted = np.asarray(ImageCms.applyTransform(samples, transform)).astype(int)
    change = np.abs(converted - np.asarray(samples.convert("RGB"))).max()
    return None if change <= _SRGB_TOLERANCE else transform


def _probe(mode: str) -> Image.Image:
    """Return an image with a grid of the RGB cube and all greys; for mode L, all greys."""
    greys = np.arange(256, dtype=np.uint8)
    if mode == "L":
        return Image.fromarray(greys[None])
    steps = np.linspace(0, 255, _GRID_STEPS).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    colours = np.concatenate([cube, np.repeat(greys[:, None], 3, axis=1)])
    return Image.fromarray(colours[None])  # (1, colours, 3)
