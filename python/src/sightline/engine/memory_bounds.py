"""How many bytes the engine holds at once, whatever the images' sizes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Encoded images of one model batch: 32 photographs of 500 kB. An image of more takes longer to
# decode than a fuller batch would save.
BATCH_BYTES = 16 * 1024 * 1024
# Columns that wait, with their rows, for the rows before them.
QUEUED_BYTES = 64 * 1024 * 1024
# Pixels that the worker threads decode at once: eight photographs of 16 megapixels.
DECODED_BYTES = 1024 * 1024 * 1024


class DecodeMemory:
    """Lets threads decode together what fits into a number of bytes, and the rest in turn.

    Args:
        max_bytes: Of all images that are being decoded; one alone may have more.
    """

    def __init__(self, max_bytes: int = DECODED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def one_image(self) -> Iterator[Callable[[int], None]]:
        """Give the function by which a decoder reserves the bytes of one image.

        It waits until there is room. What was reserved is free again when the block ends.
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
