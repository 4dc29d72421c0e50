"""The images of a run, before any of them is opened."""

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
    """Where the bytes of a table's rows are: in the table itself.

    Args:
        table: A ``.parquet``: one file, or a folder of parts.
        content: Its column of the images' bytes: the names down to a field of a nested column.
        error: Its column that says why there are none; None if it has no such column.
        parts: Its files, in the order of their rows.
    """

    table: Path
    content: tuple[str, ...]
    error: str | None
    parts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One row for each image that was listed or named, duplicates kept.

    Args:
        table: Columns that came with a table, then ``path`` (string, as listed or given),
            ``label`` (string) and ``label_id`` (int32): the true ones, null where not known.
        files: What to open, row by row; may hold surrogates where a name is no UTF-8. Of a table of
            bytes without paths: what names each row.
        errors: By row, what could not even be listed.
        root: Of a listed folder or glob: what relative paths start from; None for a table.
        packed: Where the bytes are when no file is to be opened; None for files.
        left_out: Of a folder or glob: how many files were not taken, by their endings.
        passed_over: Of a folder or glob: folders that runs have written.
        read: Gives the bytes of a row, or its error, where a source of another package lists the
            images; None for files and tables.
    """

    table: pa.Table
    files: list[str]
    errors: dict[int, RowError]
    root: Path | None = None
    packed: Packed | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    read: Callable[[int], bytes | RowError] | None = None

    def __len__(self) -> int:
        return len(self.files)

    def first(self, rows: int | None) -> Listing:
        """The first rows, or all of them for None."""
        if rows is None or rows >= len(self):
            return self
        errors = {row: error for row, error in self.errors.items() if row < rows}
        table, files = self.table.slice(0, rows), self.files[:rows]
        return replace(self, table=table, files=files, errors=errors)


def printable_path(path: str) -> str:
    """The path as valid UTF-8: bytes that are none become U+FFFD."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def path_columns(
    paths: list[str], labels: list[str | None] | pa.Array[Any], label_ids: pa.Array[Any] | None
) -> dict[str, pa.Array[Any]]:
    """The three columns that every listing ends with."""
    ids: pa.Array[Any] = pa.nulls(len(paths), pa.int32()) if label_ids is None else label_ids
    return {
        PATH: pa.array(map(printable_path, paths), pa.string()),
        LABEL: pa.array(labels, pa.string()) if isinstance(labels, list) else labels,
        LABEL_ID: ids,
    }
