"""Small copies of images, many to a sheet."""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from sightline.bundle.preprocessing import Size
from sightline.engine.colours import to_srgb
from sightline.engine.decode import decode
from sightline.engine.spec import EngineSpec
from sightline.report.image_roots import ImageRoots
from sightline.report.read_image import ImageReader
from sightline.row_error import RowError

# Images at most: side of a tile in pixels. A page of 10,000 stays below 15 MB.
_SIDES = ((2500, 96), (6000, 64), (10**9, 48))
# Small sheets: a browser decodes a whole one to show one tile, while the pointer moves.
_TILES_A_ROW = 8
_QUALITY = 60
# Reading waits, for disks and object stores, more than it works.
_THREADS = 16


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Images in the order given, 64 to a sheet, 8 to a row, each in the corner of its tile.

    Args:
        side: Of a tile, in pixels.
        sheets: WebP as base64.
        sizes: (n, 2) uint8, width and height in its tile; 0 and 0 for an image that could not
            be read.
        errors: Images that could not be read, by code.
    """

    side: int
    sheets: list[str]
    sizes: npt.NDArray[np.uint8]
    errors: dict[str, int]

    @property
    def tiles_a_row(self) -> int:
        """Tiles beside each other on a sheet, and rows below each other."""
        return _TILES_A_ROW


def make_thumbnails(
    paths: list[str], roots: ImageRoots, progress: Callable[[int], object]
) -> Thumbnails:
    """Read and shrink images, as many at once as is worth it.

    Args:
        paths: Local, or URIs.
        roots: Below which they are opened; the others are DENIED.
        progress: Called with how many more are done.

    Returns:
        Also of images that cannot be read: they have no size.
    """
    side = next(side for most, side in _SIDES if len(paths) <= most)
    # The pixels of a thumbnail need not be those that a model sees.
    fast = importlib.util.find_spec("simplejpeg") is not None
    spec = EngineSpec(decoder="scaled" if fast else "pillow")
    reader = ImageReader(spec.max_image_bytes, roots)

    def shrink(path: str) -> Image.Image | RowError:
        content = reader.read(path)
        if isinstance(content, RowError):
            return content
        image = decode(content, spec, Size(side, side))
        if isinstance(image, RowError):
            return image
        # Not `thumbnail`, which leaves a small image small.
        scale = side / max(image.size)
        width, height = (max(1, round(edge * scale)) for edge in image.size)
        return to_srgb(image.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0))

    sheets: list[str] = []
    sizes = np.zeros((len(paths), 2), np.uint8)
    errors: dict[str, int] = {}
    on_sheet = _TILES_A_ROW * _TILES_A_ROW
    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(paths), on_sheet):
            some = paths[start : start + on_sheet]
            rows = -(-len(some) // _TILES_A_ROW)
            sheet = Image.new("RGB", (min(len(some), _TILES_A_ROW) * side, rows * side))
            for at, image in enumerate(threads.map(shrink, some)):
                if isinstance(image, RowError):
                    errors[image.code] = errors.get(image.code, 0) + 1
                else:
                    sizes[start + at] = image.size
                    sheet.paste(image, (at % _TILES_A_ROW * side, at // _TILES_A_ROW * side))
                progress(1)
            sheets.append(_encode(sheet))
    return Thumbnails(side, sheets, sizes, dict(sorted(errors.items())))


def _encode(sheet: Image.Image) -> str:
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=_QUALITY, method=3)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
