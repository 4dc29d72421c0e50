"""Decodes batches ahead of the training loop, in threads.

Threads, and not the processes of torch's DataLoader: Pillow decodes without Python's lock, and
processes need shared memory (/dev/shm), of which a container has 64 MiB, and a fork of Spark's
worker with its sockets. benchmarks/training.py compares both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.backends.backend import UInt8Array
from sightline.row_error import RowError
from sightline.train.samples import Samples

ReadPixels = Callable[[memoryview, UInt8Array, int], RowError | None]
"""From an encoded image, the output array and the row to the error, if any."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One worker's part of a global batch.

    Args:
        rows: Row numbers of the samples, (n,) int64.
        pixels: (n, height, width, 3) uint8, RGB.
        classes: (n,) int64.
    """

    rows: npt.NDArray[np.int64]
    pixels: UInt8Array
    classes: npt.NDArray[np.int64]


class BatchLoader:
    """Threads that decode the next batches while the network trains on one.

    Args:
        threads: Worker threads, at least 1.
        ahead: Batches that are decoded ahead, at least 1.
        size: Height and width of the pixels.
    """

    def __init__(self, threads: int, ahead: int, size: tuple[int, int]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sightline-decode")
        self._ahead = ahead
        self._size = size

    def load(
        self,
        samples: Samples,
        rows: Iterable[Sequence[int] | npt.NDArray[np.int64]],
        read: ReadPixels,
    ) -> Iterator[Batch]:
        """Yield the batches in order.

        Raises:
            SightlineError: SAMPLE_FAILED for an image that cannot be decoded. The samples were
                decoded once when they were prepared, so it has changed since.
        """
        waiting: deque[tuple[Batch, list[Future[Any]]]] = deque()
        try:
            for batch_rows in rows:
                waiting.append(self._begin(samples, np.asarray(batch_rows, np.int64), read))
                if len(waiting) > self._ahead:
                    yield _finish(*waiting.popleft())
            while waiting:
                yield _finish(*waiting.popleft())
        finally:
            for _, futures in waiting:
                for future in futures:
                    future.cancel()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> BatchLoader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(
        self, samples: Samples, rows: npt.NDArray[np.int64], read: ReadPixels
    ) -> tuple[Batch, list[Future[Any]]]:
        pixels = np.empty((len(rows), *self._size, 3), np.uint8)
        batch = Batch(rows, pixels, np.empty(len(rows), np.int64))

        def one(at: int) -> None:
            row = int(rows[at])
            content, batch.classes[at] = samples[row]
            error = read(content, pixels[at], row)
            if error is not None:
                raise samples.failure(row, error)

        return batch, [self._pool.submit(one, at) for at in range(len(rows))]


def _finish(batch: Batch, futures: list[Future[Any]]) -> Batch:
    for future in futures:
        future.result()
    return batch
