"""Images that a CSV or Parquet table names or contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from sightline.errors import WrongUseError
from sightline.place import local_path
from sightline.source.csv_table import CsvDialect, CsvTable, bad_table, read_csv
from sightline.source.listing import Listing, Packed, path_columns
from sightline.source.own_columns import own_names
from sightline.source.parquet_table import ParquetTable, open_parquet
from sightline.source.table_columns import (
    Column,
    FoundColumns,
    TableColumns,
    find_columns,
    read_label_ids,
)

TableFormat = Literal["csv", "tsv", "parquet"]
_ENDINGS: tuple[TableFormat, ...] = ("csv", "tsv", "parquet")


def table_format(location: str) -> TableFormat | None:
    """Return the format of a table by the ending of its name; None for any other name."""
    name = location.rstrip("/").lower()
    return next((ending for ending in _ENDINGS if name.endswith(f".{ending}")), None)


def list_table(
    file: Path, columns: TableColumns, root: Path | None, *, needs_path: bool = False
) -> Listing:
    """Return the rows of a table, in its order.

    Args:
        file: A ``.csv`` or ``.tsv`` with a header, or a ``.parquet``: one file, or a folder of
            parts.
        columns: The columns that the user names.
        root: Folder that relative paths start from; None for the folder of the table.
        needs_path: Whether a table of bytes also needs a column of paths. Otherwise its rows are
            named by their file and number.

    Returns:
        The table's own columns, then those of every listing. An own column with the name of a
        result's column is renamed to ``input_NAME``.

    Raises:
        WrongUseError: UNKNOWN_COLUMN; WRONG_COLUMN_TYPE if the bytes are not binary;
            INVALID_LABEL_ID; BAD_TABLE if the file does not have the format of its name;
            WRONG_ARGUMENTS for a CSV's options with a Parquet table.
    """
    table = _open(file, columns.csv)
    used = find_columns(table, columns, needs_path=needs_path)
    replaced = used.replaced()
    wanted = [name for name in table.schema.names if name not in replaced]
    parts = [used.path, used.label, used.label_id]
    needed = {column[0] for column in parts if column} | set(wanted)
    read = table.read([name for name in table.schema.names if name in needed], used.content)
    paths = _paths(table, read, used)
    label_ids = None
    if used.label_id is not None:
        label_ids = read_label_ids(_field(read, used.label_id), ".".join(used.label_id), file)
    own = read.select([name for name in wanted if name in read.column_names])
    kept = own.rename_columns(own_names(own.column_names))
    labels = _labels(read, used, file, len(paths))
    for name, column in path_columns(paths, labels, label_ids).items():
        kept = kept.append_column(name, column)
    packed = None
    if used.content and isinstance(table, ParquetTable):
        error = used.error[0] if used.error else None
        packed = Packed(file, used.content, error, tuple(table.parts))
    base = root or file.parent
    files = [path if used.path is None else _absolute(path, base) for path in paths]
    return Listing(kept, files, {}, packed=packed)


def _open(table: Path, dialect: CsvDialect) -> CsvTable | ParquetTable:
    """Read a CSV, or the schema of a Parquet table."""
    if table_format(table.name) != "parquet":
        return read_csv(table, dialect)
    if dialect != CsvDialect():
        raise WrongUseError(
            "WRONG_ARGUMENTS",
            f"{table}: --delimiter and --encoding are for CSV tables, and this is Parquet.",
        )
    return open_parquet(table)


def _paths(table: CsvTable | ParquetTable, read: pa.Table, used: FoundColumns) -> list[str]:
    if used.path is not None:
        return [path or "" for path in _texts(read, used.path, table.path)]
    assert isinstance(table, ParquetTable)  # noqa: S101 - only Parquet has bytes instead of paths
    return table.row_keys()


def _labels(read: pa.Table, used: FoundColumns, file: Path, rows: int) -> pa.Array[Any]:
    if used.label is None:
        return pa.nulls(rows, pa.string())
    if used.label_names:
        numbers: list[Any] = _field(read, used.label).to_pylist()
        # A number without a name is unknown: Hugging Face writes -1 for an unknown class.
        known: dict[Any, str] = dict(enumerate(used.label_names))
        return pa.array([known.get(number) for number in numbers], pa.string())
    return pa.array([label or None for label in _texts(read, used.label, file)], pa.string())


def _absolute(path: str, base: Path) -> str:
    return str(base.absolute() / local_path(path)) if path else ""


def _field(table: pa.Table, column: Column) -> pa.ChunkedArray[Any]:
    whole = table.column(column[0])
    return pc.struct_field(whole, list(column[1:])) if len(column) > 1 else whole


def _texts(table: pa.Table, column: Column, file: Path) -> list[str | None]:
    try:
        texts: list[str | None] = _field(table, column).cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise bad_table(file, f"column '{'.'.join(column)}': {error}") from error
    return texts
