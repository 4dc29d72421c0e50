"""The encoded bytes of listed images, as record batches."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sightline.row_error import RowError
from sightline.source.csv_table import bad_table
from sightline.source.listing import Listing, Packed

CONTENT = "__content"
ERROR = "__error"
_ERROR_PARTS = ("code", "stage", "message")
ERROR_TYPE = pa.struct([(name, pa.string()) for name in _ERROR_PARTS])
# A record batch for the engine ends at this many rows or bytes. It stays in memory until its last
# image is decoded.
READ_ROWS, READ_BYTES = 256, 8 * 1024 * 1024
# Read buffer for a column chunk, independent of the size of its row group.
_WINDOW_BYTES = 1024 * 1024


def read_images(
    listing: Listing, max_image_bytes: int, batch_rows: int, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Read the listed images in their order.

    Args:
        listing: The images.
        max_image_bytes: A larger file gets the error TOO_LARGE and is not read. (The engine checks
            the size of images inside a table.)
        batch_rows: Rows in a batch, at most.
        batch_bytes: A batch ends when its images reach this size.

    Returns:
        The listing's columns, then ``__content`` (binary) and ``__error``
        (struct<code, stage, message>), one of which is null in each row.

    Raises:
        WrongUseError: BAD_TABLE for a packed table, BROKEN_EXTENSION for a source of another
            package that returns another type than bytes.
    """
    if listing.packed is not None:
        yield from _read_packed(listing, listing.packed, batch_rows, batch_bytes)
        return
    start, size = 0, 0
    contents: list[bytes | None] = []
    errors: list[RowError | None] = []
    for row, file in enumerate(listing.files):
        found = listing.errors.get(row) or _bytes(listing, row, file, max_image_bytes)
        contents.append(found if isinstance(found, bytes) else None)
        errors.append(found if isinstance(found, RowError) else None)
        size += len(found) if isinstance(found, bytes) else 0
        if len(contents) == batch_rows or size >= batch_bytes:
            yield _batch(listing, start, contents, errors)
            start, size, contents, errors = row + 1, 0, [], []
    if contents:
        yield _batch(listing, start, contents, errors)


def _batch(
    listing: Listing, start: int, contents: list[bytes | None], errors: list[RowError | None]
) -> pa.RecordBatch:
    described = listing.table.slice(start, len(contents)).combine_chunks().to_batches()[0]
    rows = [
        {"code": error.code, "stage": error.stage, "message": error.message} if error else None
        for error in errors
    ]
    batch = described.append_column(CONTENT, pa.array(contents, pa.binary()))
    return batch.append_column(ERROR, pa.array(rows, ERROR_TYPE))


def _bytes(listing: Listing, row: int, file: str, max_image_bytes: int) -> bytes | RowError:
    return read_file(file, max_image_bytes) if listing.read is None else listing.read(row)


def read_file(file: str, max_image_bytes: int) -> bytes | RowError:
    """Read one local file.

    Args:
        file: Path, which may contain surrogates if its name is not UTF-8.
        max_image_bytes: A larger file is not read.

    Returns:
        Its bytes, or the error NOT_FOUND, DENIED, IO, TOO_LARGE or CHANGED.
    """
    if not file:
        return RowError("NOT_FOUND", "read", "The path is empty.")
    try:
        status = os.stat(file)  # noqa: PTH116 - the path may be no UTF-8
        if not stat.S_ISREG(status.st_mode):
            return RowError("IO", "read", "It is not a regular file.")
        if status.st_size > max_image_bytes:
            message = f"{status.st_size} bytes; the cap is {max_image_bytes}."
            return RowError("TOO_LARGE", "read", message)
        content = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        return RowError.from_os(error, "read")
    if len(content) != status.st_size:
        message = f"It had {status.st_size} bytes when it was opened, then {len(content)}."
        return RowError("CHANGED", "read", message)
    return content


def _read_packed(
    listing: Listing, packed: Packed, batch_rows: int, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Read images from a table, in the listing's order.

    Args:
        listing: The first rows of the table, or all of them.
        packed: The table.
        batch_rows: Rows in a batch, at most.
        batch_bytes: Approximate size of a batch's images, by the average size of their row group.

    Returns:
        The listing's columns, then ``__content`` (binary) and ``__error``: the table's own error
        if a row has no bytes, else null.

    Raises:
        WrongUseError: BAD_TABLE if the table cannot be read, or has fewer rows than the listing.
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
        raise bad_table(
            packed.table, f"it had {len(listing)} rows when it was listed, and now has {start}."
        )


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
