"""The columns of a table that hold an image's path, bytes, label and class id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from sightline.errors import WrongUseError
from sightline.source.csv_table import CsvDialect, CsvTable
from sightline.source.parquet_table import ParquetTable

PATH_COLUMNS = ("path", "image_path", "file")
LABEL_COLUMNS = ("label", "actual_class", "class")
LABEL_ID_COLUMNS = ("class_id", "actual_class_id", "label_id")
_ERROR_PARTS = {"code", "stage", "message"}
_DIGITS = re.compile(r"[+-]?[0-9]+")
_INT32 = range(-(2**31), 2**31)

Column = tuple[str, ...]
"""A column, or a field of a nested one: the names from the column down to the field."""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns that the user names. None means the first usual name that the table has.

    A name with dots is a field of a nested column, unless a column has that name itself.

    Args:
        path: Paths of the images. Usual names: path, image_path, file.
        label: True labels. Usual names: label, actual_class, class.
        label_id: True class ids. Usual names: class_id, actual_class_id, label_id.
        content: The encoded images. Usual name: content, if it is binary.
        use_labels: Whether to look for labels and class ids at all.
        csv: Format of a CSV.
    """

    path: str | None = None
    label: str | None = None
    label_id: str | None = None
    content: str | None = None
    use_labels: bool = True
    csv: CsvDialect = field(default_factory=CsvDialect)


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """The columns that a table has; None for those it does not have.

    Args:
        path: Paths of the images.
        label: True labels: text, or class numbers if there are ``label_names``.
        label_id: True class ids.
        content: The encoded images.
        error: Errors of a packed table: struct<code, stage, message>.
        label_names: Names of the classes by number; empty if ``label`` is text.
    """

    path: Column | None
    label: Column | None
    label_id: Column | None
    content: Column | None
    error: Column | None
    label_names: list[str]

    def replaced(self) -> set[str]:
        """Return the columns that the result contains under the same name, from this table."""
        found = set()
        if self.path == ("path",):
            found.add("path")
        if not self.label_names and ("label",) in (self.label, self.label_id):
            found.add("label")
        if self.label_id == ("label_id",):
            found.add("label_id")
        return found | {column[0] for column in (self.error,) if column}


def find_columns(
    table: CsvTable | ParquetTable, asked: TableColumns, *, needs_path: bool
) -> FoundColumns:
    """Find the named or usual columns of a table.

    Args:
        table: The table.
        asked: The columns that the user names.
        needs_path: Whether a table of bytes also needs a column of paths.

    Raises:
        WrongUseError: UNKNOWN_COLUMN, or WRONG_COLUMN_TYPE if the bytes are not binary.
    """
    schema = table.schema
    content = _required(table, asked.content)
    if content is None and "content" in schema.names and _is_bytes(schema.field("content").type):
        content = ("content",)
    if content is not None and not _is_bytes(_type(schema, content)):
        raise WrongUseError(
            "WRONG_COLUMN_TYPE",
            f"column '{asked.content}' of {table.path} is {_type(schema, content)}, not BINARY. "
            "Name the column of the images' bytes by --content-column, or leave it out to read "
            "the files.",
        )
    path = _required(table, asked.path) or _usual(schema, PATH_COLUMNS)
    if path is None and (content is None or needs_path):
        raise _unknown_column(table, "' or '".join(PATH_COLUMNS))
    label = _required(table, asked.label) or _usual(schema, LABEL_COLUMNS)
    label_id = _required(table, asked.label_id) or _usual(schema, LABEL_ID_COLUMNS)
    if not asked.use_labels:
        label = label_id = None
    is_number = label is not None and _is_number(_type(schema, label))
    names = table.class_names(label) if label is not None and is_number else []
    # A number without class names is the class id, unless another column is the class id.
    if is_number and not names and label_id in (None, label):
        label, label_id = None, label
    error = ("error",) if content and "error" in schema.names else None
    if error and not _is_error(schema.field("error").type):
        error = None
    return FoundColumns(path, label, label_id, content, error, names)


def read_label_ids(column: pa.ChunkedArray[Any], name: str, table: Path) -> pa.Array[Any]:
    """Return true class ids as int32, null where there is none.

    Args:
        column: Numbers, or numbers as text.
        name: Name of the column, for messages.
        table: Path of the table, for messages.

    Raises:
        WrongUseError: INVALID_LABEL_ID, with the first value that is not a whole number.
    """
    ids: list[int | None] = []
    for value in column.to_pylist():
        number = None if value is None else _whole(value)
        # `None in range` would compare None with every number of the range.
        if value is not None and (number is None or number not in _INT32):
            raise WrongUseError(
                "INVALID_LABEL_ID",
                f"{table} has the class id '{value}' in column '{name}', which is no whole number. "
                "Name the column of class ids by --label-id-column.",
            )
        ids.append(number)
    return pa.array(ids, pa.int32())


def _whole(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if len(text) < 20 and _DIGITS.fullmatch(text) else None
    if isinstance(value, int | float | Decimal) and value % 1 == 0:
        return int(value)
    return None


def _required(table: CsvTable | ParquetTable, name: str | None) -> Column | None:
    if name is None:
        return None
    found = _find(list(table.schema), name)
    if found is None:
        raise _unknown_column(table, name)
    return found


def _find(fields: Sequence[pa.Field[Any]], name: str) -> Column | None:
    if any(one.name == name for one in fields):
        return (name,)
    for one in fields:
        if name.startswith(f"{one.name}.") and pa.types.is_struct(one.type):
            below = _find(list(one.type), name.removeprefix(f"{one.name}."))
            if below is not None:
                return (one.name, *below)
    return None


def _usual(schema: pa.Schema, names: Sequence[str]) -> Column | None:
    return next(((name,) for name in names if name in schema.names), None)


def _type(schema: pa.Schema, column: Column) -> pa.DataType:
    found: pa.Field[Any] = schema.field(column[0])
    for name in column[1:]:
        found = next(child for child in found.type if child.name == name)
    type_: pa.DataType = found.type
    return type_


def _is_bytes(type_: pa.DataType) -> bool:
    return pa.types.is_binary(type_) or pa.types.is_large_binary(type_)


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) and not pa.types.is_uint64(type_)


def _is_error(type_: pa.DataType) -> bool:
    if not pa.types.is_struct(type_):
        return False
    texts = {one.name for one in type_ if pa.types.is_string(one.type)}
    return texts == _ERROR_PARTS and type_.num_fields == len(_ERROR_PARTS)


def _unknown_column(table: CsvTable | ParquetTable, column: str) -> WrongUseError:
    hint = "Name one by --path-column, --label-column, --label-id-column or --content-column."
    if isinstance(table, CsvTable) and len(table.schema.names) == 1:
        hint = "It has one column only: set the character between its fields by --delimiter."
    known = ", ".join(table.schema.names)
    return WrongUseError(
        "UNKNOWN_COLUMN", f"{table.path} has no column '{column}'. It has: {known}. {hint}"
    )
