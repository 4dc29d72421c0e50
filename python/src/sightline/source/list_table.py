"""Images named by a CSV or Parquet table, or held by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sightline.errors import WrongUseError
from sightline.place import local_path
from sightline.source.csv_table import CsvDialect, CsvTable, bad_table
from sightline.source.label_ids import read_label_ids
from sightline.source.listing import Listing, Packed, path_columns
from sightline.source.own_columns import own_names
from sightline.source.parquet_table import ParquetTable
from sightline.source.table_file import open_table

PATH_COLUMNS = ("path", "image_path", "file")
LABEL_COLUMNS = ("label", "actual_class", "class")
LABEL_ID_COLUMNS = ("class_id", "actual_class_id", "label_id")
_ERROR_PARTS = {"code", "stage", "message"}

Column = tuple[str, ...]
"""The names from a column down to a field of it."""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Which columns of a table hold what; None takes the first usual name that there is.

    A name with dots is a field of a nested column, unless a column has that name itself.

    Args:
        path: Usual names: path, image_path, file.
        label: Usual names: label, actual_class, class.
        label_id: Usual names: class_id, actual_class_id, label_id.
        content: The images' bytes; usual name: content, where it is binary.
        use_labels: With false, labels are not looked for.
        csv: How a CSV is written.
    """

    path: str | None = None
    label: str | None = None
    label_id: str | None = None
    content: str | None = None
    use_labels: bool = True
    csv: CsvDialect = field(default_factory=CsvDialect)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """The columns that a table really has; None for what it has not.

    Args:
        label_names: Of the classes whose numbers are in ``label``; empty where that is text.
    """

    path: Column | None
    label: Column | None
    label_id: Column | None
    content: Column | None
    error: Column | None
    label_names: list[str]

    def replaced(self) -> set[str]:
        """Columns of which the result has all that there is, under the same name."""
        found = set()
        if self.path == ("path",):
            found.add("path")
        if not self.label_names and ("label",) in (self.label, self.label_id):
            found.add("label")
        if self.label_id == ("label_id",):
            found.add("label_id")
        return found | {column[0] for column in (self.error,) if column}


def list_table(
    file: Path, columns: TableColumns, root: Path | None, *, needs_path: bool = False
) -> Listing:
    """The rows of a table, in its order.

    Args:
        file: A ``.csv`` or ``.tsv`` with a header or a ``.parquet``: one file, or a folder of
            parts.
        columns: Which columns to use.
        root: What relative paths are relative to; None: the folder that the table is in.
        needs_path: Refuse a table of bytes without paths, whose rows are otherwise named by their
            file and number.

    Returns:
        The table's own columns; those called as one of a result's are ``input_NAME``.

    Raises:
        WrongUseError: UNKNOWN_COLUMN; WRONG_COLUMN_TYPE for bytes that are none;
            INVALID_LABEL_ID; BAD_TABLE if it is not what its name says.
    """
    table = open_table(file, columns.csv)
    used = _resolve(table, columns, needs_path=needs_path)
    replaced = used.replaced()
    wanted = [name for name in table.schema.names if name not in replaced]
    parts = [used.path, used.label, used.label_id]
    needed = {column[0] for column in parts if column} | set(wanted)
    read = table.read([name for name in table.schema.names if name in needed], used.content)
    paths = _paths(table, read, used)
    labels: pa.Array[Any] = pa.nulls(len(paths), pa.string())
    if used.label is not None and used.label_names:
        numbers: list[Any] = _field(read, used.label).to_pylist()
        known: dict[Any, str] = dict(enumerate(used.label_names))
        # Minus one, for one, is Hugging Face's word for a class that is not known.
        labels = pa.array([known.get(number) for number in numbers], pa.string())
    elif used.label is not None:
        given = _texts(read, used.label, file)
        labels = pa.array([label or None for label in given], pa.string())
    label_ids = None
    if used.label_id is not None:
        label_ids = read_label_ids(_field(read, used.label_id), ".".join(used.label_id), file)
    own = read.select([name for name in wanted if name in read.column_names])
    kept = own.rename_columns(own_names(own.column_names))
    for name, column in path_columns(paths, labels, label_ids).items():
        kept = kept.append_column(name, column)
    packed = None
    if used.content and isinstance(table, ParquetTable):
        error = used.error[0] if used.error else None
        packed = Packed(file, used.content, error, tuple(table.parts))
    base = root or file.parent
    files = [path if used.path is None else _resolve_path(path, base) for path in paths]
    return Listing(kept, files, {}, packed=packed)


def _resolve(table: CsvTable | ParquetTable, asked: TableColumns, *, needs_path: bool) -> _Resolved:
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
        usual = "' or '".join(PATH_COLUMNS)
        raise _unknown_column(table, usual)
    label = _required(table, asked.label) or _usual(schema, LABEL_COLUMNS)
    label_id = _required(table, asked.label_id) or _usual(schema, LABEL_ID_COLUMNS)
    if not asked.use_labels:
        label = label_id = None
    is_number = label is not None and _is_number(_type(schema, label))
    names = table.class_names(label) if label is not None and is_number else []
    # A number that nothing names is the class's id, unless another column is.
    if is_number and not names and label_id in (None, label):
        label, label_id = None, label
    error = ("error",) if content and "error" in schema.names else None
    if error and not _is_error(schema.field("error").type):
        error = None
    return _Resolved(path, label, label_id, content, error, names)


def _paths(table: CsvTable | ParquetTable, read: pa.Table, used: _Resolved) -> list[str]:
    if used.path is not None:
        return [path or "" for path in _texts(read, used.path, table.path)]
    assert isinstance(table, ParquetTable)  # noqa: S101 - a CSV has no bytes, and so a path
    return table.row_keys()


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


def _resolve_path(path: str, base: Path) -> str:
    return str(base.absolute() / local_path(path)) if path else ""


def _unknown_column(table: CsvTable | ParquetTable, column: str) -> WrongUseError:
    hint = "Name one by --path-column, --label-column, --label-id-column or --content-column."
    if isinstance(table, CsvTable) and len(table.schema.names) == 1:
        hint = "It has one column only: name what stands between its fields by --delimiter."
    known = ", ".join(table.schema.names)
    return WrongUseError(
        "UNKNOWN_COLUMN", f"{table.path} has no column '{column}'. It has: {known}. {hint}"
    )


def _field(table: pa.Table, column: Column) -> pa.ChunkedArray[Any]:
    whole = table.column(column[0])
    return pc.struct_field(whole, list(column[1:])) if len(column) > 1 else whole


def _texts(table: pa.Table, column: Column, file: Path) -> list[str | None]:
    try:
        texts: list[str | None] = _field(table, column).cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise bad_table(file, f"column '{'.'.join(column)}': {error}") from error
    return texts
