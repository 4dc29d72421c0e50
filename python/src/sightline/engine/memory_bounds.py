"""Limits on the bytes that the engine holds at once, for images of any size."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Encoded images of one model batch: 32 photographs of 500 kB. Larger images take so long to decode
# that a fuller batch would not help.
BATCH_BYTES = 16 * 1024 * 1024
# Columns of rows that wait for the results of earlier rows.
QUEUED_BYTES = 64 * 1024 * 1024
# Pixels that the worker threads decode at once: eight photographs of 16 megapixels.
DECODED_BYTES = 1024 * 1024 * 1024


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
        """Yield the function with which a decoder reserves the bytes of one image.

        The function waits until the limit allows the bytes. They are released at the block's end.
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
