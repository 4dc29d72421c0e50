"""Pixels turned as the file's metadata say they were seen."""

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


def upright(rgb: Image.Image, image: Image.Image) -> Image.Image:
    """Apply EXIF or XMP orientation.

    Args:
        rgb: The pixels as they lie in the file.
        image: The opened file. PNG may hold its metadata behind the pixels, and TIFF applies its
            own while it loads: those two must have been loaded.
    """
    method = _TRANSPOSED.get(_orientation(image))
    return rgb if method is None else rgb.transpose(method)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged metadata does not make the pixels wrong
        return 1
