"""Decodes JPEGs with libjpeg-turbo directly, at full size or at a reduced scale."""

from __future__ import annotations

import numpy as np
import simplejpeg
from PIL import Image

from sightline.bundle.preprocessing import Size


def fast_jpeg(encoded: bytes, size: tuple[int, int], at_least: Size | None) -> Image.Image | None:
    """Decode one JPEG at full size, or at the smallest scale that is large enough.

    At full size the pixels are bit-equal to Pillow's, which uses the same library with more
    overhead. A scaled decode drops the high frequencies in the DCT, so its pixels differ from
    those of a resize. Its effect on accuracy must be measured before it may be used.

    Args:
        encoded: The whole file. The caller has checked its header and the limits.
        size: Width and height as Pillow reads them, which the caller has checked.
        at_least: Minimum height and width of the result; ``None`` decodes at full size.

    Returns:
        Mode RGB, without the EXIF orientation applied. ``None`` if the library warns or fails, for
        example on a damaged file: Pillow then decodes it, or gives the better error message.

    Raises:
        MemoryError: If the machine has no memory for the pixels.
    """
    height, width = (at_least.height, at_least.width) if at_least else (0, 0)
    try:
        found_height, found_width, *_ = simplejpeg.decode_jpeg_header(encoded)
        if (found_width, found_height) != size:
            return None
        pixels = simplejpeg.decode_jpeg(encoded, "RGB", min_height=height, min_width=width)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - Pillow reports the error
        return None
    return Image.fromarray(np.asarray(pixels))  # (height, width, 3) uint8
