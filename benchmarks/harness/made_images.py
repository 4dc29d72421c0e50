"""Images made from the shared photographs: crops as cameras write them, and small copies.

The same photographs give the same files. They are written to the scratch folder of the benchmark.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, are spread evenly
_QUALITIES = (90, 91, 92, 93, 94, 95)
# 3 to 4 megapixels, in the proportions of cameras, 3:2 and 4:3.
_CROPS = ((2048, 1536), (2304, 1536), (2304, 1728), (1536, 2048), (1536, 2304), (1728, 2304))
_SMALL = (500, 375)
_SMALL_QUALITY = 95
_SMALL_CROP = (1600, 1200)


@dataclass(frozen=True)
class Photographs:
    """Files of photographs by the kind of their JPEG stream."""

    baseline: tuple[Path, ...]
    progressive: tuple[Path, ...]


def sort_photographs(folder: Path) -> Photographs:
    """Return the JPEGs of a folder by the kind of their stream, sorted by name."""
    files = sorted(folder.glob("*.jpg"))
    progressive = tuple(file for file in files if _is_progressive(file))
    return Photographs(tuple(file for file in files if file not in progressive), progressive)


def make_crops(photographs: Sequence[Path], count: int, folder: Path) -> tuple[Path, ...]:
    """Cut crops of 3 to 4 megapixels, once, and write them as cameras do.

    They are baseline JPEGs with a quality of 90 to 95 and 4:2:0 chroma.
    """

    def cut(photograph: Image.Image, at: int) -> Image.Image:
        sizes = [_CROPS[(at + shift) % len(_CROPS)] for shift in range(len(_CROPS))]
        fitting = (s for s in sizes if s[0] <= photograph.width and s[1] <= photograph.height)
        return _crop(photograph, next(fitting), at)

    return _make(photographs, count, folder, cut, lambda at: _QUALITIES[at % len(_QUALITIES)])


def make_small_copies(photographs: Sequence[Path], count: int, folder: Path) -> tuple[Path, ...]:
    """Cut parts and shrink them to 500x375 pixels, the usual size in ImageNet, once.

    They are baseline JPEGs with a quality of 95 and 4:2:0 chroma.
    """

    def cut(photograph: Image.Image, at: int) -> Image.Image:
        return _crop(photograph, _SMALL_CROP, at).resize(_SMALL, Image.Resampling.LANCZOS)

    return _make(photographs, count, folder, cut, lambda _: _SMALL_QUALITY)


def _is_progressive(file: Path) -> bool:
    with Image.open(file) as image:
        return bool(image.info.get("progressive"))


def _crop(photograph: Image.Image, size: tuple[int, int], at: int) -> Image.Image:
    left = int((at * _GOLDEN) % 1 * (photograph.width - size[0]))
    top = int((at * _GOLDEN * _GOLDEN) % 1 * (photograph.height - size[1]))
    return photograph.crop((left, top, left + size[0], top + size[1]))


def _make(
    photographs: Sequence[Path],
    count: int,
    folder: Path,
    cut: Callable[[Image.Image, int], Image.Image],
    quality: Callable[[int], int],
) -> tuple[Path, ...]:
    files = tuple(folder / f"{at:04}.jpg" for at in range(count))
    if (folder / "complete").is_file() and all(file.is_file() for file in files):
        return files
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for first, photograph in enumerate(photographs):
        with Image.open(photograph) as opened:
            whole = opened.convert("RGB")
        for at in range(first, count, len(photographs)):
            made = cut(whole, at)
            made.save(files[at], "JPEG", quality=quality(at), subsampling="4:2:0")
    (folder / "complete").touch()
    return files
