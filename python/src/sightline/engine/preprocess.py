"""Resizes an image and crops its centre to the model's size, as the manifest specifies."""

import numpy as np
from PIL import Image

from sightline.backends.backend import UInt8Array
from sightline.bundle.manifest import Preprocessing, Resize
from sightline.engine.srgb import to_srgb

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# A 1 x 100,000 pixel image resized to a shortest edge of 256 would need 26 GB. If the resized image
# has more than this many times the crop's area, only the part inside the crop is resized. Pixels
# may then differ in the last bit.
_WHOLE_RESIZE_CROPS = 16


def preprocess(image: Image.Image, preprocessing: Preprocessing, out: UInt8Array) -> None:
    """Write one image at the model's size. The model's graph applies mean and deviation.

    `shortest_edge` rounds the longer edge down like torchvision's Resize. The centre crop rounds
    like torchvision's CenterCrop. So a published recipe gives the same pixels. If the crop is
    larger than the image, the rest is black.

    Args:
        image: Mode RGB, any size. Colours of ``info["icc_profile"]`` are converted to sRGB after
            the resize, when there are few pixels.
        preprocessing: From the bundle's manifest.
        out: (height, width, 3) uint8, of `preprocessing.size`; overwritten.
    """
    resampling = _FILTERS[preprocessing.resize.interpolation]
    width, height = _resized(image.size, preprocessing.resize)
    rows, columns = out.shape[:2]
    left, top = _offset(width, columns), _offset(height, rows)
    if width * height > _WHOLE_RESIZE_CROPS * rows * columns and left >= 0 and top >= 0:
        x, y = image.width / width, image.height / height
        box = (left * x, top * y, (left + columns) * x, (top + rows) * y)
        image = image.resize((columns, rows), resampling, box=box)
    else:
        if image.size != (width, height):
            image = image.resize((width, height), resampling)
        if (columns, rows) != (width, height):
            image = image.crop((left, top, left + columns, top + rows))
    out[:] = np.asarray(to_srgb(image))  # (rows, columns, 3)


def _offset(length: int, crop: int) -> int:
    """Return the crop's start; negative for padding, with the odd pixel at the end."""
    return round((length - crop) / 2.0) if length >= crop else -((crop - length) // 2)


def _resized(size: tuple[int, int], resize: Resize) -> tuple[int, int]:
    """Return (width, height) after the resize."""
    if resize.mode == "stretch":
        return resize.width, resize.height
    width, height = size
    edge = resize.height
    if width <= height:
        return edge, int(edge * height / width)
    return int(edge * width / height), edge
