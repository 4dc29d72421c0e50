"""JPEGs by libjpeg-turbo itself: the same pixels as Pillow's for less, or fewer pixels."""

from __future__ import annotations

import numpy as np
import simplejpeg
from PIL import Image

from sightline.bundle.manifest import Size


def fast_jpeg(encoded: bytes, size: tuple[int, int], at_least: Size | None) -> Image.Image | None:
    """Decode one JPEG, in whole or at the smallest scale that is large enough.

    At full size the pixels are bit-equal to Pillow's, which uses the same library by a longer
    way. A scaled decode leaves out the high frequencies in the DCT itself: other pixels than a
    resize would give, so what that costs in accuracy is measured before it may be used.

    Args:
        encoded: The whole file; the caller has checked its header and its caps.
        size: Width and height, as Pillow reads them: those that were checked.
        at_least: Height and width that the result must have; ``None`` decodes in whole.

    Returns:
        Mode RGB, not turned upright; ``None`` where anything is unusual (a warning of the
        library, a damaged file): Pillow then decides, and has the better words for it.

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
    except Exception:  # noqa: BLE001 - whatever it is, Pillow says it
        return None
    return Image.fromarray(np.asarray(pixels))  # (height, width, 3) uint8
