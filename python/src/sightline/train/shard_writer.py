"""Write samples as shards: Arrow IPC files, whose rows are read in any order without a copy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from sightline.train.sample_index import Shard
from sightline.train.storage import Storage, sha256_of

_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("path", pa.string()),
    ("class_id", pa.int32()),
    ("content", pa.binary()),
]
SCHEMA = pa.schema(_COLUMNS)
SHARD_BYTES = 64 * 1024 * 1024


class ShardWriter:
    """Writes the shards of one part, one after the other.

    The name of a shard ends with a part of its hash. So a task that Spark runs twice writes the
    same files again.

    Args:
        folder: Where the shards are written.
        prefix: First part of the names, such as ``train-00003``.
        shard_bytes: A shard ends when its images reach this size.
    """

    def __init__(self, folder: Storage, prefix: str, shard_bytes: int = SHARD_BYTES) -> None:
        self._folder = folder
        self._prefix = prefix
        self._shard_bytes = shard_bytes
        self._scratch = tempfile.TemporaryDirectory(prefix="sightline-shards-")
        self._local = Path(self._scratch.name, "shard.arrow")
        self._number = self._rows = self._bytes = 0
        self._sink: pa.OSFile | None = None
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, batch: pa.RecordBatch) -> Shard | None:
        """Write a batch of `SCHEMA`, at least one row. Return the shard that it completes."""
        if self._writer is None:
            self._sink = pa.OSFile(str(self._local), "wb")
            self._writer = pa.ipc.new_file(self._sink, SCHEMA)
        self._writer.write_batch(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        return self.finish() if self._bytes >= self._shard_bytes else None

    def finish(self) -> Shard | None:
        """Complete the shard that has begun, and return it; None if none has."""
        if self._writer is None or self._sink is None:
            return None
        self._writer.close()
        self._sink.close()
        sha256 = sha256_of(self._local)
        name = f"{self._prefix}-{self._number:04d}-{sha256[:8]}.arrow"
        shard = Shard(name, self._rows, self._local.stat().st_size, sha256)
        self._folder.store(self._local, name)
        self._number += 1
        self._rows = self._bytes = 0
        self._sink = self._writer = None
        return shard

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._sink is not None:
            self._sink.close()
        self._scratch.cleanup()
