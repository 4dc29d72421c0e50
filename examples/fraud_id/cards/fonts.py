"""Fonts of the card, from PyPI packages. The machine's own fonts are not used."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import font_caladea  # type: ignore[import-untyped]
import font_roboto  # type: ignore[import-untyped]
import font_source_serif_pro  # type: ignore[import-untyped]
from PIL import ImageFont

_FILES = {
    file.stem: str(file)
    for package in (font_caladea, font_roboto, font_source_serif_pro)
    for file in Path(package.font_directory).glob("*.ttf")
}


@lru_cache(maxsize=512)
def load_font(name: str, size_pixels: int) -> ImageFont.FreeTypeFont:
    """Load a font face at a size.

    Args:
        name: The font file's stem, such as "Roboto-Medium" or "SourceSerifPro-Bold".
        size_pixels: Em size in pixels, at least 1.

    Returns:
        The face with Pillow's own layout, so that text is the same with and without libraqm.

    Raises:
        KeyError: If no font package contains the name.
    """
    return ImageFont.truetype(_FILES[name], size_pixels, layout_engine=ImageFont.Layout.BASIC)
