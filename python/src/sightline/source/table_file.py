"""Tables that list images: which formats there are, and how one is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sightline.errors import WrongUseError
from sightline.source.csv_table import CsvDialect, CsvTable, read_csv
from sightline.source.parquet_table import ParquetTable, open_parquet

Format = Literal["csv", "tsv", "parquet"]
TABLE_ENDINGS: tuple[Format, ...] = ("csv", "tsv", "parquet")


def table_format(location: str) -> Format | None:
    """What kind of table a location names, by its ending alone; None if it names none."""
    name = location.rstrip("/").lower()
    return next((ending for ending in TABLE_ENDINGS if name.endswith(f".{ending}")), None)


def open_table(table: Path, dialect: CsvDialect) -> CsvTable | ParquetTable:
    """Open a table: a CSV is read whole, of a Parquet only what it says of itself.

    Args:
        table: A ``.csv`` or ``.tsv`` with a header or a ``.parquet``: one file, or a folder of
            parts.
        dialect: Of a CSV.

    Raises:
        WrongUseError: BAD_TABLE if it is not what its name says; WRONG_ARGUMENTS for a CSV's
            options on a Parquet.
    """
    if table_format(table.name) != "parquet":
        return read_csv(table, dialect)
    if dialect != CsvDialect():
        raise WrongUseError(
            "WRONG_ARGUMENTS",
            f"{table}: --delimiter and --encoding are for CSV tables, and this is Parquet.",
        )
    return open_parquet(table)
