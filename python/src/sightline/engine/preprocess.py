"""Pixels of any size to the model's size: resize, then centre crop, as the manifest says."""

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
# A 1 x 100,000 pixel image resized to a shortest edge of 256 would need 26 GB. Above this many
# times the crop's area only the part under the crop is resized, which costs the last bit.
_WHOLE_RESIZE_CROPS = 16


def preprocess(image: Image.Image, preprocessing: Preprocessing, out: UInt8Array) -> None:
    """Write one image at the model's size. Mean and deviation are inside the model's graph.

    `shortest_edge` rounds like torchvision's Resize: the longer edge down, and the centre crop
    like its CenterCrop, so that a published recipe gives the same pixels. A crop that is larger
    than the image is filled with black.

    Args:
        image: Mode RGB, any size; colours of its ``info["icc_profile"]`` become sRGB at the end,
            when they are few.
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
    """Where the crop begins; negative where it is padded, the odd pixel then at the end."""
    return round((length - crop) / 2.0) if length >= crop else -((crop - length) // 2)


def _resized(size: tuple[int, int], resize: Resize) -> tuple[int, int]:
    """(width, height) after the resize."""
    if resize.mode == "stretch":
        return resize.width, resize.height
    width, height = size
    edge = resize.height
    if width <= height:
        return edge, int(edge * height / width)
    return int(edge * width / height), edge
