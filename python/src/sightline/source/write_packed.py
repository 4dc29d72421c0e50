"""Write images and their columns as one Parquet table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from sightline.source.listing import Listing, printable_path
from sightline.source.own_columns import own_names
from sightline.source.read_images import CONTENT, ERROR, read_images

# As in the jar: small row groups, so that Spark can divide a table evenly among tasks.
_ROW_GROUP_BYTES = 2 * 1024 * 1024
_ROW_GROUP_ROWS = 4096
_PART_BYTES = 512 * 1024 * 1024


@dataclass(slots=True)
class PackedCounts:
    """Counts of the written rows.

    Args:
        images: Rows written.
        bytes: Size of the images that could be read.
        errors: Rows with an error, by error code.
    """

    images: int = 0
    bytes: int = 0
    errors: dict[str, int] = field(default_factory=dict)


def write_packed(listing: Listing, folder: Path, max_image_bytes: int) -> Iterator[PackedCounts]:
    """Read the images and write ``part-00000.parquet`` and so on, one row group at a time.

    The columns for a listed folder are ``path, relative_path, length, modification_time, label,
    content, error``. For a table they are its own columns, then ``path, label, label_id, length,
    content, error``; an own column ``length`` becomes ``input_length``.

    Args:
        listing: At least one image.
        folder: An existing, empty folder.
        max_image_bytes: A larger file gets the error TOO_LARGE and is not read.

    Returns:
        The counts so far, after each row group.
    """
    from pyarrow import parquet

    counts = PackedCounts()
    part, part_bytes = 0, 0
    writer: parquet.ParquetWriter | None = None
    try:
        for batch in read_images(listing, max_image_bytes, _ROW_GROUP_ROWS, _ROW_GROUP_BYTES):
            rows = _rows(batch, listing, counts.images)
            if writer is not None and part_bytes >= _PART_BYTES:
                writer.close()
                writer, part, part_bytes = None, part + 1, 0
            if writer is None:
                file = folder / f"part-{part:05d}.parquet"
                writer = parquet.ParquetWriter(file, rows.schema, **_options(rows.schema))
            writer.write_batch(rows)
            part_bytes += rows.nbytes
            _count(batch, counts)
            yield counts
    finally:
        if writer is not None:
            writer.close()


def _options(schema: pa.Schema) -> dict[str, Any]:
    # Encoded images are compressed already, and filters cannot use statistics of their bytes.
    described = [name for name in schema.names if name != "content"]
    nested = [name for name in described if pa.types.is_nested(schema.field(name).type)]
    plain = [name for name in described if name not in nested]
    return {"compression": "none", "use_dictionary": plain, "write_statistics": plain}


def _rows(batch: pa.RecordBatch, listing: Listing, start: int) -> pa.RecordBatch:
    content, error = batch.column(CONTENT), batch.column(ERROR)
    given = {
        name: batch.column(name) for name in batch.schema.names if name not in (CONTENT, ERROR)
    }
    if listing.root is None:
        names = own_names(list(given), frozenset(["length"]))
        columns = dict(zip(names, given.values(), strict=True)) | {"length": _lengths(content)}
    else:
        files = listing.files[start : start + batch.num_rows]
        relative = [printable_path(os.path.relpath(file, listing.root)) for file in files]
        columns = {"path": given["path"], "relative_path": pa.array(relative, pa.string())}
        columns |= _status(files) | {"label": given["label"]}
    return pa.RecordBatch.from_pydict(columns | {"content": content, "error": error})


def _status(files: list[str]) -> dict[str, pa.Array[Any]]:
    lengths, times = [], []
    for file in files:
        try:
            status = os.stat(file)  # noqa: PTH116 - the path may be no UTF-8
            lengths.append(0 if os.path.isdir(file) else status.st_size)  # noqa: PTH112
            times.append(status.st_mtime_ns // 1_000_000 * 1000)
        except (OSError, ValueError):
            lengths.append(0)
            times.append(0)
    return {
        "length": pa.array(lengths, pa.int64()),
        "modification_time": pa.array(times, pa.timestamp("us", "UTC")),
    }


def _lengths(content: pa.Array[Any]) -> pa.Array[Any]:
    return pc.binary_length(cast("pa.BinaryArray", content)).cast(pa.int64())


def _count(batch: pa.RecordBatch, counts: PackedCounts) -> None:
    counts.images += batch.num_rows
    counts.bytes += pc.sum(_lengths(batch.column(CONTENT))).as_py() or 0
    for entry in pc.value_counts(pc.struct_field(batch.column(ERROR), "code")).to_pylist():
        if entry["values"] is not None:
            counts.errors[entry["values"]] = counts.errors.get(entry["values"], 0) + entry["counts"]
