"""The images of a run, before they are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from sightline.row_error import RowError

PATH = "path"
LABEL = "label"
LABEL_ID = "label_id"


@dataclass(frozen=True, slots=True)
class Packed:
    """A Parquet table that contains the encoded images.

    Args:
        table: One ``.parquet`` file, or a folder of parts.
        content: Column of the images' bytes: the names from a column down to a nested field.
        error: Column with the reason why a row has no bytes; None if the table has none.
        parts: The table's files, in the order of their rows.
    """

    table: Path
    content: tuple[str, ...]
    error: str | None
    parts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One row for each listed image, including duplicates.

    Args:
        table: The columns of the input table, if any, then ``path`` (string), and the true
            ``label`` (string) and ``label_id`` (int32), which are null if unknown.
        files: Path to open for each row, with surrogates if a name is not UTF-8. For a table of
            bytes without paths: a name for each row.
        errors: Errors of folders that could not be listed, by row.
        root: The listed folder, or the folder of a glob; None for a table.
        packed: The table that contains the bytes; None if files are to be opened.
        left_out: Number of files that the filter left out, by their endings.
        outputs: Skipped folders, which runs have written.
        read: Gives the bytes of a row, or its error, if a source of another package lists the
            images; None for files and tables.
    """

    table: pa.Table
    files: list[str]
    errors: dict[int, RowError]
    root: Path | None = None
    packed: Packed | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    read: Callable[[int], bytes | RowError] | None = None

    def __len__(self) -> int:
        return len(self.files)

    def first(self, rows: int | None) -> Listing:
        """Return the first rows, or all of them for None."""
        if rows is None or rows >= len(self):
            return self
        errors = {row: error for row, error in self.errors.items() if row < rows}
        table, files = self.table.slice(0, rows), self.files[:rows]
        return replace(self, table=table, files=files, errors=errors)


def printable_path(path: str) -> str:
    """Return the path as valid UTF-8; invalid bytes become U+FFFD."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def path_columns(
    paths: list[str], labels: list[str | None] | pa.Array[Any], label_ids: pa.Array[Any] | None
) -> dict[str, pa.Array[Any]]:
    """Return the last three columns of a listing: path, label and label_id."""
    ids: pa.Array[Any] = pa.nulls(len(paths), pa.int32()) if label_ids is None else label_ids
    return {
        PATH: pa.array(map(printable_path, paths), pa.string()),
        LABEL: pa.array(labels, pa.string()) if isinstance(labels, list) else labels,
        LABEL_ID: ids,
    }
