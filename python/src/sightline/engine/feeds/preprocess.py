"""Resize and crop of one decoded picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sightline.backends.backend import UInt8Array
from sightline.bundle.image_settings import Preprocessing, Resize
from sightline.engine.colours import to_srgb
from sightline.engine.picture import Picture

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# The decoder `fast` first averages pixels in the DCT or in `Image.reduce`, but leaves the resize
# this many pixels for one of its result, in each direction. docs/design.md has the measurement.
REDUCING_GAP = 4
# From this many times the resized image, in each direction, `fast` resizes only the crop's part.
_LARGE = 2
# A 1 x 100,000 pixel image resized to a shortest edge of 256 would need 26 GB. If the resized image
# has more than this many times the crop's area, only the part inside the crop is resized. Pixels
# may then differ in the last bit.
_WHOLE_RESIZE_CROPS = 16


def least_size(resize: Resize, size: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height that the pixels of the decoder `fast` need at least.

    Args:
        resize: The model's resize.
        size: Width and height of the upright picture in the file.
    """
    if resize.interpolation == "nearest":  # takes single pixels, never averages
        return size
    width, height = resize.size_of(size)
    return REDUCING_GAP * width, REDUCING_GAP * height


def preprocess(picture: Picture, preprocessing: Preprocessing, out: UInt8Array) -> None:
    """Write one picture at the model's size, with the pixels of the decoder `exact`.

    The model's graph applies mean and deviation. `shortest_edge` rounds the longer edge down like
    torchvision's Resize. The centre crop rounds like torchvision's CenterCrop. So published
    preprocessing gives the same pixels. If the crop is larger than the image, the rest is black.

    Args:
        picture: Decoded at full size. Colours of ``info["icc_profile"]`` of its pixels are
            converted to sRGB after the resize, when there are few pixels.
        preprocessing: From the bundle's manifest.
        out: (height, width, 3) uint8, of `preprocessing.size`; overwritten.
    """
    image = picture.upright()
    filter_ = FILTERS[preprocessing.resize.interpolation]
    width, height = preprocessing.resize.size_of(image.size)
    rows, columns = out.shape[:2]
    left, top = _offset(width, columns), _offset(height, rows)
    if width * height > _WHOLE_RESIZE_CROPS * rows * columns and left >= 0 and top >= 0:
        x, y = image.width / width, image.height / height
        box = (left * x, top * y, (left + columns) * x, (top + rows) * y)
        image = image.resize((columns, rows), filter_, box=box)
    else:
        if image.size != (width, height):
            image = image.resize((width, height), filter_)
        if (columns, rows) != (width, height):
            image = image.crop((left, top, left + columns, top + rows))
    out[:] = np.asarray(to_srgb(image))  # (rows, columns, 3)


def preprocess_fast(picture: Picture, preprocessing: Preprocessing, out: UInt8Array) -> None:
    """Write one picture at the model's size, with the pixels of the decoder `fast`.

    Of a picture that is at least twice as wide and as high as the resized image, only the part
    inside the crop is resized, and a larger one may be decoded at a fraction of its size. Others go
    through `preprocess`. Arguments are as for that function.
    """
    width, height = preprocessing.resize.size_of(picture.size)
    is_large = picture.size[0] >= _LARGE * width and picture.size[1] >= _LARGE * height
    if not is_large or preprocessing.resize.interpolation == "nearest":
        preprocess(picture, preprocessing, out)
        return
    rows, columns = out.shape[:2]
    left, top = _offset(width, columns), _offset(height, rows)
    # The part of the resized image inside the crop.
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + columns, width), min(top + rows, height)
    x, y = picture.size[0] / width, picture.size[1] / height
    part = picture.resize_box(
        (x1 - x0, y1 - y0),
        FILTERS[preprocessing.resize.interpolation],
        (x0 * x, y0 * y, x1 * x, y1 * y),
        REDUCING_GAP,
    )
    if part.size != (columns, rows):
        dx, dy = left - x0, top - y0  # negative: black columns and rows before the part
        part = part.crop((dx, dy, dx + columns, dy + rows))
    out[:] = np.asarray(to_srgb(part))  # (rows, columns, 3)


def _offset(length: int, crop: int) -> int:
    """Return the crop's start; negative for padding, with the odd pixel at the end."""
    return round((length - crop) / 2.0) if length >= crop else -((crop - length) // 2)
