"""Converts decoded images of any mode to 8-bit RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sightline.engine.srgb import profile_of, to_srgb

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
        message = f"Pixels of mode {image.mode!r} have no agreed 8-bit value."
        raise UnsupportedPixelsError(message)
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_integers(image: Image.Image) -> Image.Image:
    if image.mode == "I" and image.format != "PNG":
        raise UnsupportedPixelsError("32-bit integer samples have no agreed 8-bit value.")
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
