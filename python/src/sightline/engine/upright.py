"""Pixels turned as the file's metadata say they were seen."""

from __future__ import annotations

from PIL import ExifTags, Image

_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """1 to 8, by EXIF or XMP; 1 where damaged metadata do not tell.

    Args:
        image: The opened file. PNG may hold its metadata behind the pixels, and TIFF applies its
            own while it loads: those two must have been loaded.
    """
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (MemoryError, Warning):
        raise
    except Exception:  # noqa: BLE001 - damaged metadata do not make the pixels wrong
        return 1


def upright(rgb: Image.Image, orientation: int) -> Image.Image:
    """Turn or mirror the pixels as they lie in the file; `orientation` is 1 to 8."""
    method = _TRANSPOSED.get(orientation)
    return rgb if method is None else rgb.transpose(method)
