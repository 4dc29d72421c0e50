"""The image feed: decodes, resizes and crops encoded files to uint8 pixels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import UInt8Array
from sightline.bundle.image_settings import Preprocessing
from sightline.engine.decode import decode_picture
from sightline.engine.feeds.preprocess import least_size, preprocess, preprocess_fast
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError

_NO_BYTES = RowError("EMPTY", "decode", "There are no bytes.")
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
        is_fast = spec.decoder == "fast"
        self._at_least = partial(least_size, preprocessing.resize) if is_fast else None
        self._preprocess = preprocess_fast if is_fast else preprocess
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
        picture = decode_picture(value, self._spec, self._at_least, reserve)
        if isinstance(picture, RowError):
            return picture
        try:
            self._preprocess(picture, self._preprocessing, out)
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
