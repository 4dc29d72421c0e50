"""Applies the orientation from a file's metadata to its pixels."""

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
    """Return the orientation, 1 to 8, from EXIF or XMP; 1 if the metadata are damaged.

    Args:
        image: The opened file. A PNG or TIFF must be loaded: PNG may store its metadata after the
            pixels, and Pillow applies a TIFF's orientation when it loads the file.
    """
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (MemoryError, Warning):
        raise
    except Exception:  # noqa: BLE001 - damaged metadata do not make the pixels wrong
        return 1


def upright(rgb: Image.Image, orientation: int) -> Image.Image:
    """Rotate or mirror the stored pixels; `orientation` is an EXIF value, 1 to 8."""
    method = _TRANSPOSED.get(orientation)
    return rgb if method is None else rgb.transpose(method)
