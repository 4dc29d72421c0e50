"""The bytes of listed images, as record batches."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from sightline.row_error import RowError
from sightline.source.listing import Listing
from sightline.source.read_error import read_error
from sightline.source.read_packed import CONTENT, ERROR, ERROR_TYPE, read_packed

__all__ = ["CONTENT", "ERROR", "read_images"]


def read_images(
    listing: Listing, max_image_bytes: int, batch_rows: int, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Read the listed images in their order.

    Args:
        listing: Which files.
        max_image_bytes: A larger file is TOO_LARGE and is not read; of a table's own bytes the
            engine says so.
        batch_rows: Rows of a batch, at most.
        batch_bytes: A batch ends with the image that reaches this.

    Returns:
        The listing's columns, then ``__content`` (binary) and ``__error``
        (struct<code, stage, message>), one of which is null in each row.
    """
    if listing.packed is not None:
        yield from read_packed(listing, listing.packed, batch_rows, batch_bytes)
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
    if listing.read is None:
        return _read(file, max_image_bytes)
    try:
        return listing.read(row)
    except (OSError, ValueError) as error:
        return read_error(error, "read")


def _read(file: str, max_image_bytes: int) -> bytes | RowError:
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
        return read_error(error, "read")
    if len(content) != status.st_size:
        message = f"It had {status.st_size} bytes when it was opened, then {len(content)}."
        return RowError("CHANGED", "read", message)
    return content
