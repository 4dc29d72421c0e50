"""CSV and Parquet files as Arrow tables, each value as it was written."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from sightline.errors import WrongUseError

if TYPE_CHECKING:
    from pyarrow.dataset import FileSystemDataset

TABLE_ENDINGS: tuple[Literal["csv", "parquet"], ...] = ("csv", "parquet")


def table_format(location: str) -> Literal["csv", "parquet"] | None:
    """What kind of table a location names, by its ending alone; None if it names none."""
    name = location.rstrip("/").lower()
    return next((ending for ending in TABLE_ENDINGS if name.endswith(f".{ending}")), None)


def column_names(table: Path) -> list[str]:
    """The table's columns, without reading its rows.

    Args:
        table: A ``.csv`` with a header or a ``.parquet``: one file, or a folder of parts.

    Raises:
        WrongUseError: BAD_TABLE if it is not what its name says.
    """
    try:
        if table_format(table.name) == "csv":
            return _csv_names(_csv_parts(table)[0])
        return _parquet(table).schema.names
    except (pa.ArrowInvalid, OSError) as error:
        raise bad_table(table, error) from error


def column_type(table: Path, column: str) -> pa.DataType:
    """The type of one of the table's columns: text for those of a CSV."""
    return (
        pa.string()
        if table_format(table.name) == "csv"
        else _parquet(table).schema.field(column).type
    )


def parquet_parts(table: Path) -> list[Path]:
    """The files of a Parquet table, in the order in which ``read_columns`` reads them."""
    return [Path(fragment.path) for fragment in _parquet(table).get_fragments()]


def read_columns(table: Path, columns: Collection[str]) -> pa.Table:
    """The rows of some columns, in the order of the table's parts.

    Args:
        table: As for ``column_names``.
        columns: Which, by name; they keep the table's order.

    Returns:
        A Parquet's own types. A CSV's columns are text, so that ``007`` stays ``007``; a field
        with nothing in it is null, as Spark reads it.

    Raises:
        WrongUseError: BAD_TABLE if it is not what its name says.
    """
    try:
        if table_format(table.name) == "csv":
            parts = _csv_parts(table)
            return pa.concat_tables(_read_csv(part, parts[0], columns) for part in parts)
        data = _parquet(table)
        return data.to_table([name for name in data.schema.names if name in columns])
    except (pa.ArrowInvalid, OSError) as error:
        raise bad_table(table, error) from error


def bad_table(table: Path, problem: object) -> WrongUseError:
    """The error for a table that cannot be read."""
    line = " ".join(str(problem).split())[:300]
    return WrongUseError("BAD_TABLE", f"{table} cannot be read as a table: {line}")


def _parquet(table: Path) -> FileSystemDataset:
    from pyarrow import dataset

    data: FileSystemDataset = dataset.dataset(table, format="parquet", partitioning="hive")
    return data


def _csv_parts(table: Path) -> list[Path]:
    if not table.is_dir():
        return [table]
    files = [file for file in table.iterdir() if not file.name.startswith(("_", "."))]
    # Spark writes a part of no bytes where a partition had no rows.
    parts = sorted(file for file in files if file.is_file() and file.stat().st_size > 0)
    if not parts:
        raise bad_table(table, "the folder holds no CSV parts.")
    return parts


def _csv_names(part: Path) -> list[str]:
    from pyarrow import csv

    with csv.open_csv(part, parse_options=csv.ParseOptions(newlines_in_values=True)) as reader:
        return reader.schema.names


def _read_csv(part: Path, first: Path, columns: Collection[str]) -> pa.Table:
    from pyarrow import csv

    names = _csv_names(part)
    if part != first and names != _csv_names(first):
        raise bad_table(part, f"its header is not that of {first.name}: {', '.join(names)}.")
    return csv.read_csv(
        part,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            include_columns=[name for name in names if name in columns],
        ),
    )
