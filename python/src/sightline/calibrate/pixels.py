"""Some of the listed images, as the model sees them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sightline.backends.protocol import UInt8Array
from sightline.bundle.manifest import Preprocessing
from sightline.engine.decode import decode
from sightline.engine.preprocess import preprocess
from sightline.engine.spec import EngineSpec
from sightline.row_error import RowError
from sightline.source.listing import Listing
from sightline.source.read_images import CONTENT, read_images

_BATCH_ROWS = 64
_BATCH_BYTES = 16 * 1024 * 1024


def spread(rows: int, wanted: int) -> npt.NDArray[np.int64]:
    """At most `wanted` of the row numbers, evenly spread: listings are often sorted by class."""
    return np.unique(np.linspace(0, rows - 1, min(rows, wanted)).round().astype(np.int64))


def read_pixels(
    listing: Listing, rows: npt.NDArray[np.int64], preprocessing: Preprocessing
) -> UInt8Array:
    """Decode those rows with Pillow, as the engine would; what cannot be read is left out.

    Returns:
        (n, height, width, 3) uint8, n at most the number of rows.
    """
    spec, size = EngineSpec(), preprocessing.size
    wanted, start = set(rows.tolist()), 0
    pixels: UInt8Array = np.empty((len(rows), size.height, size.width, 3), np.uint8)
    done = 0
    for batch in read_images(listing, spec.max_image_bytes, _BATCH_ROWS, _BATCH_BYTES):
        contents = batch.column(CONTENT)
        for at in range(batch.num_rows):
            if start + at not in wanted or not contents[at].is_valid:
                continue
            image = decode(contents[at].as_py(), spec)
            if not isinstance(image, RowError):
                preprocess(image, preprocessing, pixels[done])
                done += 1
        start += batch.num_rows
    return pixels[:done]
