"""Images named by a CSV or Parquet table, or held by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from sightline.errors import WrongUseError
from sightline.source.label_ids import read_label_ids
from sightline.source.listing import Listing, Packed, path_columns
from sightline.source.table_file import bad_table, column_names, column_type, read_columns

PATH_COLUMNS = ("path", "image_path", "file")
LABEL_COLUMNS = ("label", "actual_class", "class")
LABEL_ID_COLUMNS = ("class_id", "actual_class_id", "label_id")
_REPLACED = ("path", "label", "label_id", "prediction", "features", "error", "content")


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Which columns of a table hold what; None takes the first usual name that there is.

    Args:
        path: Usual names: path, image_path, file.
        label: Usual names: label, actual_class, class.
        label_id: Usual names: class_id, actual_class_id, label_id.
        content: The images' bytes; usual name: content, where it is binary.
        use_labels: With false, labels are not looked for.
    """

    path: str | None = None
    label: str | None = None
    label_id: str | None = None
    content: str | None = None
    use_labels: bool = True


def list_table(file: Path, columns: TableColumns, root: Path | None) -> Listing:
    """The rows of a table, in its order.

    Args:
        file: A ``.csv`` with a header or a ``.parquet``: one file, or a folder of parts.
        columns: Which columns to use.
        root: What relative paths are relative to; None: the folder that the table is in.

    Raises:
        WrongUseError: UNKNOWN_COLUMN; WRONG_COLUMN_TYPE for bytes that are none;
            INVALID_LABEL_ID; BAD_TABLE if it is not what its name says.
    """
    names = column_names(file)
    path_name = _column(file, names, columns.path, PATH_COLUMNS)
    if path_name is None:
        usual = ", ".join(PATH_COLUMNS)
        raise _unknown_column(file, names, f"no path column ({usual}); name it by --path-column")
    label_name = id_name = None
    if columns.use_labels:
        label_name = _column(file, names, columns.label, LABEL_COLUMNS)
        id_name = _column(file, names, columns.label_id, LABEL_ID_COLUMNS)
    packed = _packed(file, names, columns.content)
    used = {path_name, label_name, id_name}
    unused = {"content", packed.content if packed else None} - used
    table = read_columns(file, [name for name in names if name not in unused])
    paths = [path or "" for path in _as(table, path_name, pa.string(), file).to_pylist()]
    labels: pa.Array[Any] = pa.nulls(len(paths), pa.string())
    if label_name is not None:
        given = _as(table, label_name, pa.string(), file).to_pylist()
        labels = pa.array([label or None for label in given], pa.string())
    label_ids = read_label_ids(table.column(id_name), id_name, file) if id_name else None
    kept = table.select([name for name in table.column_names if name not in _REPLACED])
    for name, column in path_columns(paths, labels, label_ids).items():
        kept = kept.append_column(name, column)
    files = [_resolve(path, root or file.parent) for path in paths]
    return Listing(kept, files, {}, packed=packed)


def _packed(file: Path, names: Sequence[str], asked: str | None) -> Packed | None:
    name = _column(file, names, asked, ("content",))
    if name is None:
        return None
    type_ = column_type(file, name)
    if not (pa.types.is_binary(type_) or pa.types.is_large_binary(type_)):
        if asked is None:
            return None
        raise WrongUseError(
            "WRONG_COLUMN_TYPE",
            f"column {name!r} of {file} is {type_}, not binary. Name the column of the images' "
            "bytes by --content-column, or leave it out to read the files.",
        )
    error = "error" if "error" in names and _is_error(column_type(file, "error")) else None
    return Packed(file, name, error)


def _is_error(type_: pa.DataType) -> bool:
    parts = {field.name for field in type_} if pa.types.is_struct(type_) else set()
    return parts == {"code", "stage", "message"}


def _resolve(path: str, base: Path) -> str:
    if path.startswith("file:/"):
        # As Hadoop does: what follows the scheme and the host is the path, % and all.
        path = path.removeprefix("file:")
        path = "/" + path[2:].partition("/")[2] if path.startswith("//") else path
    return str(base.absolute() / path) if path else ""


def _column(
    file: Path, names: Sequence[str], asked: str | None, usual: Sequence[str]
) -> str | None:
    if asked is not None and asked not in names:
        raise _unknown_column(file, names, f"no column {asked!r}")
    return asked or next((name for name in usual if name in names), None)


def _unknown_column(file: Path, names: Sequence[str], problem: str) -> WrongUseError:
    columns = ", ".join(names)
    return WrongUseError("UNKNOWN_COLUMN", f"{file} has {problem}. Its columns: {columns}.")


def _as(table: pa.Table, name: str, type_: pa.DataType, file: Path) -> pa.Array[Any]:
    try:
        column = table.column(name).cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise bad_table(file, f"column {name!r}: {error}") from error
    combined: pa.Array[Any] = column.combine_chunks()
    return combined
