"""Decode some images of a listing as the model's input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sightline.backends.backend import UInt8Array
from sightline.bundle.image_settings import Preprocessing
from sightline.engine.feeds.image_feed import ImageFeed
from sightline.engine.settings import EngineSettings
from sightline.source.listing import Listing
from sightline.source.read_images import CONTENT, read_images

_BATCH_ROWS = 64
_BATCH_BYTES = 16 * 1024 * 1024


def spread(rows: int, wanted: int) -> npt.NDArray[np.int64]:
    """Return at most `wanted` evenly spaced row numbers. Listings are often sorted by class."""
    return np.unique(np.linspace(0, rows - 1, min(rows, wanted)).round().astype(np.int64))


def read_pixels(
    listing: Listing, rows: npt.NDArray[np.int64], preprocessing: Preprocessing
) -> UInt8Array:
    """Decode and preprocess some rows as the engine does. Unreadable images are omitted.

    Returns:
        (n, height, width, 3) uint8, n at most the number of rows.
    """
    size, feed = preprocessing.size, ImageFeed(preprocessing, EngineSettings())
    pixels: UInt8Array = np.empty((len(rows), size.height, size.width, 3), np.uint8)
    done = 0
    for content in _contents(listing, rows):
        done += feed.write(memoryview(content), pixels[done]) is None
    return pixels[:done]


def _contents(listing: Listing, rows: npt.NDArray[np.int64]) -> Iterator[bytes]:
    wanted, start = set(rows.tolist()), 0
    most = EngineSettings().max_image_bytes
    for batch in read_images(listing, most, _BATCH_ROWS, _BATCH_BYTES):
        contents = batch.column(CONTENT)
        for at in range(batch.num_rows):
            if start + at in wanted and contents[at].is_valid:
                yield contents[at].as_py()
        start += batch.num_rows
