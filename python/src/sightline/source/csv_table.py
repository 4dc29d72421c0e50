"""Read CSV tables as Arrow tables of text."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from sightline.errors import WrongUseError
from sightline.wrong_option import invalid_option

_TAB = ("\\t", "tab")
# UTF-32 before UTF-16, whose mark is a prefix of UTF-32's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """Format of a CSV file.

    Args:
        delimiter: One character; None for a comma, or a tab in a ``.tsv``.
        encoding: Name of a Python codec; None for UTF-8. A byte order mark overrides it.
    """

    delimiter: str | None = None
    encoding: str | None = None


def parse_dialect(delimiter: str | None, encoding: str | None) -> CsvDialect:
    r"""Return the dialect for option values; the delimiter is one character, ``tab`` or ``\t``.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if delimiter in _TAB:
        delimiter = "\t"
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise invalid_option(
            "--delimiter", delimiter, "It must be one character, such as ';', or the word tab."
        )
    if encoding is not None:
        try:
            " ".encode(encoding)
        except LookupError:
            rule = "Use an encoding that Python knows, such as utf-8, utf-16 or windows-1252."
            raise invalid_option("--encoding", encoding, rule) from None
    return CsvDialect(delimiter, encoding)


@dataclass(frozen=True)
class CsvTable:
    """The contents of a CSV, from ``read_csv``."""

    path: Path
    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """The schema, in which all columns are text."""
        return self.table.schema

    def read(self, columns: Sequence[str], content: tuple[str, ...] | None) -> pa.Table:
        """Return some columns; ``content`` is None because a CSV contains no images."""
        del content
        return self.table.select(list(columns))

    def class_names(self, column: Sequence[str]) -> list[str]:
        """Return no names: labels in a CSV are text."""
        del column
        return []


def read_csv(table: Path, dialect: CsvDialect) -> CsvTable:
    """Read all rows of a CSV with a header, or of a folder of such files.

    Args:
        table: A path whose name ends in ``.csv`` or ``.tsv``.
        dialect: Format of the files.

    Returns:
        Columns of text. An empty field, and a field that a short row lacks, is null. A second
        column ``a`` becomes ``a_2``; a column without a name becomes ``_c`` with its number.

    Raises:
        WrongUseError: BAD_TABLE if the bytes cannot be decoded, there is no header, the parts have
            different headers, or a row has more fields than the header.
    """
    parts = _parts(table)
    first: list[str] = []
    columns: list[list[str | None]] = []
    for part in parts:
        rows = _rows(part, dialect)
        header = next(rows, None)
        if not header:
            raise bad_table(table, "it has no header line.")
        if any("\0" in name for name in header):
            raise _not_text(part, dialect)
        if part == parts[0]:
            first, columns = header, [[] for _ in header]
        elif header != first:
            raise bad_table(
                part, f"its header differs from that of {parts[0].name}: {', '.join(header)}."
            )
        for row in rows:
            _append(row, columns, table)
    names = column_names(first)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return CsvTable(table, pa.Table.from_arrays(arrays, names))


def column_names(header: Sequence[str]) -> list[str]:
    """Return column names that are unique in lower case; the first use of a name keeps it."""
    names: list[str] = []
    for at, text in enumerate(header):
        name = text or f"_c{at}"
        rest = [other.lower() for other in header[at + 1 :]]
        taken = {other.lower() for other in names} | {one for one in rest if one != name.lower()}
        candidates = [name, *(f"{name}_{n}" for n in range(2, len(header) + 2))]
        names.append(next((one for one in candidates if one.lower() not in taken), name))
    return names


def bad_table(table: Path, problem: object) -> WrongUseError:
    """Return the error BAD_TABLE for a table that cannot be read."""
    line = " ".join(str(problem).split())[:300]
    return WrongUseError("BAD_TABLE", f"{table} cannot be read as a table: {line}")


def _append(row: list[str], columns: list[list[str | None]], table: Path) -> None:
    for column, field in zip(columns, row, strict=False):
        column.append(field or None)
    for column in columns[len(row) :]:
        column.append(None)
    beyond = next((field for field in row[len(columns) :] if field.strip()), None)
    if beyond is not None:
        raise bad_table(
            table,
            f"a row has more fields than the header: no column is there for '{beyond.strip()}'. "
            "Quote fields that contain the delimiter, or set the delimiter by --delimiter.",
        )


def _parts(table: Path) -> list[Path]:
    if not table.is_dir():
        return [table]
    files = [file for file in table.iterdir() if not file.name.startswith(("_", "."))]
    # Spark writes an empty file for a partition without rows.
    parts = sorted(file for file in files if file.is_file() and file.stat().st_size > 0)
    if not parts:
        raise bad_table(table, "the folder contains no CSV files.")
    return parts


def _rows(part: Path, dialect: CsvDialect) -> Iterator[list[str]]:
    tab = part.name.lower().endswith(".tsv") or part.parent.name.lower().endswith(".tsv")
    try:
        with _open(part, dialect) as lines:
            reader = csv.reader(lines, delimiter=dialect.delimiter or ("\t" if tab else ","))
            yield from (row for row in reader if row)
    except UnicodeError as error:
        raise _not_text(part, dialect) from error
    except (csv.Error, OSError) as error:
        raise bad_table(part, error) from error


def _open(part: Path, dialect: CsvDialect) -> IO[str]:
    with part.open("rb") as file:
        start = file.read(4)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    encoding = marked or dialect.encoding or "utf-8"
    # Without a byte order mark UTF-16 is big-endian, by the standard and in Java.
    is_open = marked is None and codecs.lookup(encoding).name in ("utf-16", "utf-32")
    return part.open(encoding=f"{encoding}-be" if is_open else encoding, newline="")


def _not_text(part: Path, dialect: CsvDialect) -> WrongUseError:
    return bad_table(
        part,
        f"its bytes are not text in {(dialect.encoding or 'utf-8').lower()}. Set its encoding by "
        "--encoding, such as windows-1252 or utf-16.",
    )
