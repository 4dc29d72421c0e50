"""The image feed: decodes, resizes and crops encoded files to uint8 pixels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from sightline.backends.backend import UInt8Array
from sightline.bundle.image_settings import Preprocessing, Resize
from sightline.engine.colours import to_srgb
from sightline.engine.decode import decode
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError

_NO_BYTES = RowError("EMPTY", "decode", "There are no bytes.")
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# A 1 x 100,000 pixel image resized to a shortest edge of 256 would need 26 GB. If the resized image
# has more than this many times the crop's area, only the part inside the crop is resized. Pixels
# may then differ in the last bit.
_WHOLE_RESIZE_CROPS = 16
# Memory of the images that the worker threads decode at once.
DECODED_BYTES = 256 * 1024 * 1024


class ImageFeed:
    """Makes uint8 (n, height, width, 3), RGB, from encoded files.

    Args:
        preprocessing: Resize and crop. The model's graph applies mean and deviation.
        spec: The decoder and the limits on an image.
        memory: Limit on the decoded images, which all image feeds of a run share; None for a limit
            of this feed alone.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        spec: EngineSettings,
        memory: DecodeMemory | None = None,
    ) -> None:
        self._preprocessing = preprocessing
        self._spec = spec
        self._memory = memory or DecodeMemory()

    def open(self, column: pa.Array[Any]) -> BinaryColumn:
        """See `feed.Feed.open`. The column is binary or can be cast to binary."""
        try:
            return BinaryColumn(column)
        except pa.ArrowException as error:
            raise WrongUseError(
                "WRONG_COLUMN_TYPE", f"the column of images is {column.type}, not binary."
            ) from error

    def write(self, value: memoryview, out: UInt8Array) -> RowError | None:
        """Decode and resize one file. Return an error of `decode`, or UNSUPPORTED."""
        with self._memory.one_image() as reserve:
            return self._write(value, out, reserve)

    def _write(
        self, value: memoryview, out: UInt8Array, reserve: Callable[[int], None]
    ) -> RowError | None:
        image = decode(value, self._spec, self._preprocessing.least_decoded, reserve)
        if isinstance(image, RowError):
            return image
        try:
            preprocess(image, self._preprocessing, out)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one image never ends a batch
            message = f"It cannot be resized: {type(error).__name__}: {error}"
            return RowError("UNSUPPORTED", "decode", message)
        return None


class DecodeMemory:
    """Limits the total memory of the images that threads decode at the same time.

    Args:
        max_bytes: Limit for all images that are being decoded. A single image may exceed it.
    """

    def __init__(self, max_bytes: int = DECODED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def one_image(self) -> Iterator[Callable[[int], None]]:
        """Yield the function that a decoder calls to reserve the bytes of one image.

        The function waits until the limit allows the bytes, which the end of the block releases.
        """
        reserved = 0

        def reserve(size: int) -> None:
            nonlocal reserved
            with self._changed:
                self._changed.wait_for(
                    lambda: self._used == 0 or self._used + size <= self._max_bytes
                )
                self._used += size
                reserved += size

        try:
            yield reserve
        finally:
            if reserved:
                with self._changed:
                    self._used -= reserved
                    self._changed.notify_all()


class BinaryColumn:
    """A binary Arrow array whose values are read as memoryviews, without a copy.

    Args:
        array: Binary or large binary; any other type is cast to large binary.
    """

    def __init__(self, array: pa.Array[Any]) -> None:
        if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
            array = array.cast(pa.large_binary())
        offset_type = np.int64 if pa.types.is_large_binary(array.type) else np.int32
        _, offsets, data = array.buffers()
        rows = len(array)
        self.errors: Mapping[int, RowError] = {}
        if array.null_count:
            nulls = np.flatnonzero(np.asarray(array.is_null()))
            self.errors = dict.fromkeys(nulls.tolist(), _NO_BYTES)
        self._data = memoryview(data) if data is not None else memoryview(b"")
        self._offsets = (
            np.frombuffer(
                memoryview(offsets), offset_type, rows + 1, array.offset * offset_type().itemsize
            )
            if offsets is not None and rows
            else np.zeros(1, offset_type)
        )

    @property
    def nbytes(self) -> int:
        """Total bytes of the values."""
        return int(self._offsets[-1] - self._offsets[0])

    def __getitem__(self, row: int) -> memoryview:
        """Return the bytes of one row; empty for a null row."""
        return self._data[self._offsets[row] : self._offsets[row + 1]]


def preprocess(image: Image.Image, preprocessing: Preprocessing, out: UInt8Array) -> None:
    """Write one image at the model's size. The model's graph applies mean and deviation.

    `shortest_edge` rounds the longer edge down like torchvision's Resize. The centre crop rounds
    like torchvision's CenterCrop. So published preprocessing gives the same pixels. If the crop is
    larger than the image, the rest is black.

    Args:
        image: Mode RGB, any size. Colours of ``info["icc_profile"]`` are converted to sRGB after
            the resize, when there are few pixels.
        preprocessing: From the bundle's manifest.
        out: (height, width, 3) uint8, of `preprocessing.size`; overwritten.
    """
    resampling = _FILTERS[preprocessing.resize.interpolation]
    width, height = _resized(image.size, preprocessing.resize)
    rows, columns = out.shape[:2]
    left, top = _offset(width, columns), _offset(height, rows)
    if width * height > _WHOLE_RESIZE_CROPS * rows * columns and left >= 0 and top >= 0:
        x, y = image.width / width, image.height / height
        box = (left * x, top * y, (left + columns) * x, (top + rows) * y)
        image = image.resize((columns, rows), resampling, box=box)
    else:
        if image.size != (width, height):
            image = image.resize((width, height), resampling)
        if (columns, rows) != (width, height):
            image = image.crop((left, top, left + columns, top + rows))
    out[:] = np.asarray(to_srgb(image))  # (rows, columns, 3)


def _offset(length: int, crop: int) -> int:
    """Return the crop's start; negative for padding, with the odd pixel at the end."""
    return round((length - crop) / 2.0) if length >= crop else -((crop - length) // 2)


def _resized(size: tuple[int, int], resize: Resize) -> tuple[int, int]:
    """Return (width, height) after the resize."""
    if resize.mode == "stretch":
        return resize.width, resize.height
    width, height = size
    edge = resize.height
    if width <= height:
        return edge, int(edge * height / width)
    return int(edge * width / height), edge
