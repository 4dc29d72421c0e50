"""Check labelled images and write them as shards: the work of one task of the preparation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.row_error import RowError
from sightline.train.augment import PixelReader
from sightline.train.sample_index import Shard
from sightline.train.shard_writer import SCHEMA, ShardWriter
from sightline.train.split_samples import PARTS
from sightline.train.storage import Storage

Event = dict[str, Any]
"""What a task has written. ``kind`` is one of

- ``shard``, with ``part`` and the fields of `Shard`;
- ``count``, with ``part``, ``class_id`` and ``rows``;
- ``left_out``, with ``path``, ``part``, ``class_id``, ``code`` and ``message``.
"""


def write_samples(
    batches: Iterable[pa.RecordBatch],
    folder: Storage,
    task: int,
    reader: PixelReader,
    threads: int = 1,
) -> Iterator[Event]:
    """Decode each image once, write the good ones, and yield what was written.

    An image that cannot be decoded would end the training hours later. So it is found here.

    Args:
        batches: With the columns ``path`` (string), ``part`` (string), ``class_id`` (int32),
            ``content`` (binary) and ``error`` (struct<code, stage, message>, null for a file that
            was read), sorted by part and path.
        folder: Where the shards are written.
        task: Number of the task, for the names of its shards. The tasks' rows are in its order.
        reader: Decodes as the training will.
        threads: Threads that decode.
    """
    counts: Counter[tuple[str, int]] = Counter()
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        writers = {
            part: stack.enter_context(ShardWriter(folder, f"{part}-{task:05d}")) for part in PARTS
        }
        for batch in batches:
            errors = list(pool.map(partial(_error, batch, reader), range(batch.num_rows)))
            parts = batch.column("part").to_pylist()
            classes = np.asarray(batch.column("class_id")).tolist()
            for at, error in enumerate(errors):
                if error is not None:
                    yield {
                        "kind": "left_out",
                        "path": batch.column("path")[at].as_py(),
                        "part": parts[at],
                        "class_id": classes[at],
                        "code": error.code,
                        "message": error.message,
                    }
            for part in PARTS:
                rows = [at for at, one in enumerate(parts) if one == part and errors[at] is None]
                counts.update((part, classes[at]) for at in rows)
                shard = writers[part].add(_take(batch, rows)) if rows else None
                if shard is not None:
                    yield _shard_event(part, shard)
        for part in PARTS:
            shard = writers[part].finish()
            if shard is not None:
                yield _shard_event(part, shard)
    for (part, class_id), rows_ in sorted(counts.items()):
        yield {"kind": "count", "part": part, "class_id": class_id, "rows": rows_}


def _error(batch: pa.RecordBatch, reader: PixelReader, at: int) -> RowError | None:
    error = batch.column("error")[at].as_py()
    if error is not None:
        return RowError(error["code"], error["stage"], error["message"])
    content = batch.column("content")[at].as_buffer()
    if content is None:
        return RowError("EMPTY", "decode", "There are no bytes.")
    return reader.plain(memoryview(content), np.empty((*reader.size, 3), np.uint8))


def _take(batch: pa.RecordBatch, rows: list[int]) -> pa.RecordBatch:
    taken = batch.select(SCHEMA.names).take(pa.array(rows))
    columns = [taken.column(one.name).cast(one.type) for one in SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _shard_event(part: str, shard: Shard) -> Event:
    return {
        "kind": "shard",
        "part": part,
        "file": shard.file,
        "rows": shard.rows,
        "bytes": shard.bytes,
        "sha256": shard.sha256,
    }
