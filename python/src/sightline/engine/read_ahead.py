"""Reads a source in a separate thread, so that the sender does not wait for the model."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from sightline.engine.counters import Counters

READ_AHEAD_BYTES = 16 * 1024 * 1024
# Items of 0 bytes, such as rows that could not be read, also need memory.
_MAX_ITEMS = 64

_Item = TypeVar("_Item")


def read_ahead(
    items: Iterable[_Item],
    size_of: Callable[[_Item], int],
    counters: Counters,
    max_bytes: int = READ_AHEAD_BYTES,
) -> Iterator[_Item]:
    """Yield the same items in the same order. Read ahead while the consumer works.

    Spark's JVM reads files and writes to a worker in one thread. While the worker does not read,
    the JVM does not read files.

    Args:
        items: A daemon thread reads them. It starts with the first ``next``.
        size_of: Returns the bytes of an item.
        counters: read_cpu_s and read_wait_s are added to it.
        max_bytes: The thread pauses while the queue holds this many bytes or 64 items. An empty
            queue accepts one item of any size.

    Raises:
        BaseException: The source's exception, after the items before it.
    """
    reader = _Reader(items, size_of, max_bytes)
    reader.start()
    try:
        while True:
            start = time.perf_counter()
            found = reader.take()
            counters.read_wait_s += time.perf_counter() - start
            if not found:
                break
            yield found.pop()
    finally:
        reader.stop()
        counters.read_cpu_s += reader.cpu_s
    if reader.failure is not None:
        raise reader.failure


class _Reader(Generic[_Item]):
    def __init__(
        self, items: Iterable[_Item], size_of: Callable[[_Item], int], max_bytes: int
    ) -> None:
        self.cpu_s = 0.0
        self.failure: BaseException | None = None
        self._items = items
        self._size_of = size_of
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[_Item, int]] = deque()
        self._bytes = 0
        self._is_done = False
        self._changed = threading.Condition()

    def start(self) -> None:
        # It is a daemon thread, because a cancelled task must not wait for a silent socket.
        threading.Thread(target=self._run, name="sightline-read", daemon=True).start()

    def take(self) -> list[_Item]:
        """Return a list with the next item; an empty list at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_done)
            if not self._waiting:
                return []
            item, size = self._waiting.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return [item]

    def stop(self) -> None:
        with self._changed:
            self._is_done = True
            self._waiting.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            for item in self._items:
                self.cpu_s = time.thread_time()
                if not self._put(item, self._size_of(item)):
                    return
                del item
        except BaseException as error:  # noqa: BLE001 - the consumer's thread raises it
            self.failure = error
        finally:
            self.cpu_s = time.thread_time()
            with self._changed:
                self._is_done = True
                self._changed.notify_all()

    def _put(self, item: _Item, size: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_done or self._has_room(size))
            if self._is_done:
                return False
            self._waiting.append((item, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def _has_room(self, size: int) -> bool:
        if not self._waiting:
            return True
        return len(self._waiting) < _MAX_ITEMS and self._bytes + size <= self._max_bytes
