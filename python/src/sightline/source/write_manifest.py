"""Some images of a listing as a CSV of paths and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from sightline.errors import WrongUseError
from sightline.source.listing import LABEL_ID, PATH, Listing, printable_path


def write_manifest(listing: Listing, rows: Sequence[int], file: Path) -> None:
    """Write the rows' columns, ``path`` absolute, as a table that `--images` takes.

    A table's other columns come with it; ``label_id`` only where some are known.

    Args:
        listing: Of files, not of bytes in a table.
        rows: Which, in this order.
        file: To write; a name that ends in ``.csv``.

    Raises:
        WrongUseError: INVALID_NAME for a path that is no UTF-8; WRONG_COLUMN_TYPE for a column
            that a CSV cannot hold.
    """
    for row in rows:
        if printable_path(listing.files[row]) != listing.files[row]:
            raise WrongUseError(
                "INVALID_NAME",
                f"'{printable_path(listing.files[row])}' is no UTF-8, which a CSV must be. "
                "Rename the file, or leave out --manifest to make links.",
            )
    table = listing.table.take(pa.array(rows, pa.int64()))
    if table.column(LABEL_ID).null_count == len(table):
        table = table.drop_columns([LABEL_ID])
    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise WrongUseError(
                "WRONG_COLUMN_TYPE",
                f"column {field.name!r} is {field.type}, which a CSV cannot hold. "
                "Sample a table without it.",
            )
    given = map(str, table.column(PATH).to_pylist())
    # What is no local path, such as gs://…, is absolute as it is.
    paths = [
        path if "://" in path else listing.files[row] for path, row in zip(given, rows, strict=True)
    ]
    at = table.column_names.index(PATH)
    table = table.set_column(at, PATH, pa.array(paths, pa.string()))
    csv.write_csv(table, file, csv.WriteOptions(quoting_style="needed"))
