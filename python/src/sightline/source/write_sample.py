"""Write a sample of a collection, as links or as a CSV of paths."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from sightline.errors import SightlineError, WrongUseError
from sightline.source.listing import LABEL_ID, PATH, Listing, printable_path


def link_images(files: Sequence[str], names: Sequence[str], folder: Path) -> Iterator[int]:
    """Make an absolute symbolic link for each file; yield the number of links so far.

    The folder of links may be moved; the images must stay where they are. A link to a missing
    image is later read as NOT_FOUND.

    Args:
        files: Absolute paths of the images.
        names: Path of each link, relative to the folder: ``Training/Apple/1.jpg``.
        folder: An existing folder.

    Raises:
        SightlineError: CANNOT_LINK if a link cannot be made.
    """
    made: set[str] = set()
    for count, (file, name) in enumerate(zip(files, names, strict=True), 1):
        link = os.path.join(folder, name)  # noqa: PTH118 - names may be no UTF-8, and many
        parent = os.path.dirname(link)  # noqa: PTH120
        try:
            if parent not in made:
                os.makedirs(parent, exist_ok=True)  # noqa: PTH103
                made.add(parent)
            os.symlink(file, link)  # noqa: PTH211
        except OSError as error:
            raise SightlineError(
                "CANNOT_LINK",
                f"a symbolic link to '{file}' cannot be made: {error.strerror}. Add --manifest to "
                "write a table of paths instead.",
            ) from error
        yield count


def write_manifest(listing: Listing, rows: Sequence[int], file: Path) -> None:
    """Write some rows of a listing as a CSV that `--images` accepts.

    The CSV has all columns of the listing, with absolute paths; ``label_id`` only if one is known.

    Args:
        listing: A listing of files.
        rows: Row numbers, in the order of the CSV.
        file: CSV to write; its name ends in ``.csv``.

    Raises:
        WrongUseError: INVALID_NAME for a path that is not UTF-8; WRONG_COLUMN_TYPE for a column
            that a CSV cannot hold.
    """
    for row in rows:
        if printable_path(listing.files[row]) != listing.files[row]:
            raise WrongUseError(
                "INVALID_NAME",
                f"'{printable_path(listing.files[row])}' is not UTF-8, which a CSV must be. "
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
    # URIs such as gs://… are absolute already.
    paths = [
        path if "://" in path else listing.files[row] for path, row in zip(given, rows, strict=True)
    ]
    at = table.column_names.index(PATH)
    table = table.set_column(at, PATH, pa.array(paths, pa.string()))
    csv.write_csv(table, file, csv.WriteOptions(quoting_style="needed"))
