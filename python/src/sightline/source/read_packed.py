"""The bytes that a Parquet table holds, as record batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sightline.source.csv_table import bad_table
from sightline.source.listing import Listing, Packed

CONTENT = "__content"
ERROR = "__error"
_ERROR_PARTS = ("code", "stage", "message")
ERROR_TYPE = pa.struct([(name, pa.string()) for name in _ERROR_PARTS])
# A column chunk is read through a window of this, however large its row group is.
_WINDOW_BYTES = 1024 * 1024


def read_packed(
    listing: Listing, packed: Packed, batch_rows: int, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Read the rows' bytes in the listing's order, a batch at a time.

    Args:
        listing: Of the table; what it has fewer rows than the table is not read.
        packed: Where the bytes are.
        batch_rows: Rows of a batch, at most.
        batch_bytes: Of the images of a batch, about; by the average of their row group.

    Returns:
        The listing's columns, then ``__content`` (binary) and ``__error``: the table's own error
        where it has no bytes, else null.

    Raises:
        WrongUseError: BAD_TABLE if the table is no longer what was listed.
    """
    start = 0
    for batch in _batches(packed, batch_rows, batch_bytes):
        rows = min(batch.num_rows, len(listing) - start)
        if rows <= 0:
            return
        described = listing.table.slice(start, rows).combine_chunks().to_batches()[0]
        content = _content(batch, packed.content).slice(0, rows)
        error = batch.column(packed.error).slice(0, rows) if packed.error else None
        described = described.append_column(CONTENT, content)
        yield described.append_column(ERROR, _errors(content, error))
        start += rows
    if start < len(listing):
        raise bad_table(packed.table, f"it had {len(listing)} rows when listed, now {start}.")


def _batches(packed: Packed, batch_rows: int, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    columns = [".".join(packed.content)] + ([packed.error] if packed.error else [])
    for part in packed.parts:
        try:
            yield from _part(part, columns, batch_rows, batch_bytes)
        except (pa.ArrowInvalid, OSError) as error:
            raise bad_table(part, error) from error


def _part(
    part: Path, columns: list[str], batch_rows: int, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    with parquet.ParquetFile(part, buffer_size=_WINDOW_BYTES, pre_buffer=False) as file:
        for group in range(file.metadata.num_row_groups):
            described = file.metadata.row_group(group)
            image_bytes = described.total_byte_size // max(described.num_rows, 1)
            rows = min(batch_rows, batch_bytes // max(image_bytes, 1))
            yield from file.iter_batches(max(rows, 1), row_groups=[group], columns=columns)


def _content(batch: pa.RecordBatch, column: tuple[str, ...]) -> pa.Array[Any]:
    whole = batch.column(column[0])
    return pc.struct_field(whole, list(column[1:])) if len(column) > 1 else whole


def _errors(content: pa.Array[Any], error: pa.Array[Any] | None) -> pa.Array[Any]:
    if error is None or error.null_count == len(error):
        return pa.nulls(len(content), ERROR_TYPE)
    parts = [pc.struct_field(error, name).cast(pa.string()) for name in _ERROR_PARTS]
    absent = pc.or_(error.is_null(), content.is_valid())
    return pa.StructArray.from_arrays(parts, list(_ERROR_PARTS), mask=absent)
