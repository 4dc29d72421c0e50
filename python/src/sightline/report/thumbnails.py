"""Make thumbnails of images, 64 on a sheet."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from sightline.engine.colours import to_srgb
from sightline.engine.decode import decode_picture
from sightline.engine.settings import EngineSettings
from sightline.report.image_reader import ImageReader, ImageRoots
from sightline.row_error import RowError

# Up to so many images: side of a tile in pixels. A page with 10,000 images stays below 15 MB.
_SIDES = ((2500, 96), (6000, 64), (10**9, 48))
# Sheets are small because a browser decodes a whole sheet to show one tile.
_TILES_PER_ROW = 8
_QUALITY = 60
# More threads than cores: they mostly wait for disks and object stores.
_THREADS = 16


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Thumbnails on sheets of 8 x 8 tiles, each in the top left corner of its tile.

    Args:
        side: Width and height of a tile in pixels.
        sheets: The sheets, as base64 of WebP.
        sizes: (n, 2) uint8, width and height of each thumbnail; 0 for an unreadable image.
        errors: Number of unreadable images, by error code.
    """

    side: int
    sheets: list[str]
    sizes: npt.NDArray[np.uint8]
    errors: dict[str, int]

    @property
    def tiles_per_row(self) -> int:
        """Number of tiles in a row of a sheet, and of rows."""
        return _TILES_PER_ROW


def make_thumbnails(
    paths: list[str], roots: ImageRoots, progress: Callable[[int], object]
) -> Thumbnails:
    """Read images and make their thumbnails, in several threads.

    Args:
        paths: Local paths or URIs.
        roots: Folders of the images that may be opened; others get the error DENIED.
        progress: Called with the number of images done since the last call.

    Returns:
        Thumbnails in the order of the paths; unreadable images have the size 0.
    """
    side = next(side for most, side in _SIDES if len(paths) <= most)
    spec = EngineSettings()
    reader = ImageReader(spec.max_image_bytes, roots)

    def shrink(path: str) -> Image.Image | RowError:
        content = reader.read(path)
        if isinstance(content, RowError):
            return content
        picture = decode_picture(content, spec, lambda _: (side, side))
        if isinstance(picture, RowError):
            return picture
        image = picture.upright()
        # Image.thumbnail would not enlarge small images.
        scale = side / max(image.size)
        width, height = (max(1, round(edge * scale)) for edge in image.size)
        return to_srgb(image.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0))

    sheets: list[str] = []
    sizes = np.zeros((len(paths), 2), np.uint8)
    errors: dict[str, int] = {}
    on_sheet = _TILES_PER_ROW * _TILES_PER_ROW
    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(paths), on_sheet):
            some = paths[start : start + on_sheet]
            rows = -(-len(some) // _TILES_PER_ROW)
            sheet = Image.new("RGB", (min(len(some), _TILES_PER_ROW) * side, rows * side))
            for at, image in enumerate(threads.map(shrink, some)):
                if isinstance(image, RowError):
                    errors[image.code] = errors.get(image.code, 0) + 1
                else:
                    sizes[start + at] = image.size
                    sheet.paste(image, (at % _TILES_PER_ROW * side, at // _TILES_PER_ROW * side))
                progress(1)
            sheets.append(_encode(sheet))
    return Thumbnails(side, sheets, sizes, dict(sorted(errors.items())))


def _encode(sheet: Image.Image) -> str:
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=_QUALITY, method=3)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
