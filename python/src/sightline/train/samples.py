"""Random access to the samples of one part."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.errors import SightlineError
from sightline.row_error import RowError
from sightline.train.sample_index import SampleIndex
from sightline.train.shard_cache import ShardCache


class Samples:
    """The encoded images and class ids of one part. Threads may share it.

    Args:
        index: The samples of the run.
        part: ``train``, ``validation`` or ``test``.
        cache: Gives the shards' local files.
        most_open: Shards that are open at the same time.
    """

    def __init__(
        self, index: SampleIndex, part: str, cache: ShardCache, most_open: int = 512
    ) -> None:
        self._shards = index.parts.get(part, ())
        self._cache = cache
        self._most_open = most_open
        self._ends = np.cumsum([shard.rows for shard in self._shards], dtype=np.int64)
        self._open: dict[int, _OpenShard] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, row: int) -> tuple[memoryview, int]:
        """Return the encoded image, which is not copied, and the class id of a row."""
        shard, at = self._at(row)
        return shard.content(at)

    def path(self, row: int) -> str:
        """Return the path of the image of a row."""
        shard, at = self._at(row)
        return shard.path(at)

    def failure(self, row: int, error: RowError) -> SightlineError:
        """Return the error SAMPLE_FAILED for a row whose image cannot be decoded."""
        return SightlineError("SAMPLE_FAILED", f"{self.path(row)}: {error.code}: {error.message}")

    def _at(self, row: int) -> tuple[_OpenShard, int]:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} samples")
        number = int(np.searchsorted(self._ends, row, "right"))
        begin = int(self._ends[number - 1]) if number else 0
        with self._lock:
            shard = self._open.pop(number, None)
            if shard is None:
                shard = _OpenShard(str(self._cache.open(self._shards[number])))
                if len(self._open) >= self._most_open:
                    del self._open[next(iter(self._open))]  # the one unused for longest
            self._open[number] = shard
        return shard, row - begin


class _OpenShard:
    """One memory-mapped shard."""

    def __init__(self, path: str) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(path))
        self._batches = [
            self._reader.get_batch(at) for at in range(self._reader.num_record_batches)
        ]
        self._ends = np.cumsum([batch.num_rows for batch in self._batches])

    def content(self, row: int) -> tuple[memoryview, int]:
        batch, at = self._locate(row)
        return memoryview(batch.column(2)[at].as_buffer()), batch.column(1)[at].as_py()

    def path(self, row: int) -> str:
        batch, at = self._locate(row)
        text: str = batch.column(0)[at].as_py()
        return text

    def _locate(self, row: int) -> tuple[Any, int]:
        number = int(np.searchsorted(self._ends, row, "right"))
        return self._batches[number], row - (int(self._ends[number - 1]) if number else 0)
