"""Read Parquet tables with the column types that Spark gives them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sightline.source.csv_table import bad_table
from sightline.written_folder import is_output

if TYPE_CHECKING:
    from pyarrow.dataset import FileSystemDataset

_MAX_DECIMAL_DIGITS = 38


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet table: one file or a folder of files, with the columns of the first file.

    Args:
        path: A path whose name ends in ``.parquet``.
        data: The table's files.
        schema: The columns whose types Spark has; others are left out.
    """

    path: Path
    data: FileSystemDataset
    schema: pa.Schema
    _metadata: dict[bytes, bytes] = field(default_factory=dict)

    @cached_property
    def parts(self) -> list[Path]:
        """The table's files, in the order of the rows."""
        return [Path(fragment.path) for fragment in self.data.get_fragments()]

    def read(self, columns: Sequence[str], content: tuple[str, ...] | None) -> pa.Table:
        """Read some columns, in the order of the parts.

        Args:
            columns: Names in the table's order.
            content: The field of the images' bytes, which is not read. If its column has no other
                field, the whole column is left out.

        Returns:
            The columns as Spark reads them: nanosecond timestamps become microseconds; durations,
            and nanosecond timestamps inside lists, maps and structs, become integers.

        Raises:
            WrongUseError: BAD_TABLE.
        """
        whole = [name for name in columns if content is None or name != content[0]]
        try:
            table = self.data.to_table(whole)
            if content is not None and content[0] in columns:
                rest = self._without(content)
                if rest is not None:
                    at = list(columns).index(content[0])
                    table = table.add_column(at, content[0], rest)
        except (pa.ArrowInvalid, OSError) as error:
            raise bad_table(self.path, error) from error
        for at, given in enumerate(table.schema):
            table = table.set_column(at, given.name, _as_spark_has_it(table.column(at)))
        return table

    def row_keys(self) -> list[str]:
        """Return a name for each row: its file in the table, ``#``, and its number from 0."""
        keys = []
        for part, fragment in zip(self.parts, self.data.get_fragments(), strict=True):
            name = part.relative_to(self.path) if self.path.is_dir() else part.name
            keys += [f"{name}#{row}" for row in range(fragment.count_rows())]
        return keys

    def class_names(self, column: Sequence[str]) -> list[str]:
        """Return the class names of a column of class numbers, if Hugging Face wrote the file."""
        try:
            found: Any = json.loads(self._metadata[b"huggingface"])["info"]["features"]
            for name in column:
                found = found[name]
            return [str(name) for name in found["names"]]
        except (KeyError, TypeError, ValueError):
            return []

    def _without(self, content: tuple[str, ...]) -> pa.ChunkedArray[Any] | None:
        from pyarrow import parquet

        leaves = []
        type_ = self.schema.field(content[0]).type
        for depth, name in enumerate(content[1:], 1):
            others = [child.name for child in type_ if child.name != name]
            leaves += [".".join([*content[:depth], other]) for other in others]
            type_ = type_.field(name).type
        if not leaves:
            return None
        # Read single fields: a dataset would read the whole column and then drop the bytes.
        read = []
        for part in self.parts:
            with parquet.ParquetFile(part, coerce_int96_timestamp_unit="us") as file:
                read.append(file.read(leaves))
        return pa.concat_tables(read).column(content[0])


def open_parquet(table: Path) -> ParquetTable:
    """Open a Parquet table without reading its rows.

    Raises:
        WrongUseError: BAD_TABLE.
    """
    from pyarrow import dataset

    # Spark's INT96 timestamps have microseconds; Arrow would read them as nanoseconds.
    options = dataset.ParquetReadOptions(dictionary_columns=None, coerce_int96_timestamp_unit="us")
    try:
        data: FileSystemDataset = dataset.dataset(
            table, format=dataset.ParquetFileFormat(read_options=options), partitioning="hive"
        )
        schema = data.schema
    except (pa.ArrowInvalid, OSError) as error:
        raise bad_table(table, error) from error
    lower = [name.lower() for name in schema.names]
    for name in schema.names:
        first = schema.names[lower.index(name.lower())]
        if first != name or schema.names.count(name) > 1:
            raise bad_table(table, f"columns '{first}' and '{name}' differ only in case.")
    if not schema.names:
        raise bad_table(table, "it has no Parquet files.")
    _refuse_outputs(table, data.files)
    known = [given for given in schema if _is_known(given.type)]
    left_out = [given.name for given in schema if given not in known]
    if left_out:
        names = ", ".join(left_out)
        sys.stderr.write(
            f"sightline: {table}: columns left out, since Spark has no type for them: {names}\n"
        )
    return ParquetTable(table, data, pa.schema(known), schema.metadata or {})


def _refuse_outputs(table: Path, files: Sequence[str]) -> None:
    """Reject a table whose folder contains the output of a run."""
    folders = {above for file in files for above in Path(file).relative_to(table).parents}
    for below in sorted(folders - {Path()}):
        folder = table / below
        # Partition folders are no outputs, and there may be thousands.
        if "=" in folder.name:
            continue
        if is_output(str(folder), {entry.name for entry in folder.iterdir()}):
            raise bad_table(table, f"{folder} in it is the output of a run; move it elsewhere.")


def _is_known(type_: pa.DataType) -> bool:
    """Whether Spark has the type."""
    if pa.types.is_nested(type_):
        return all(_is_known(type_.field(at).type) for at in range(type_.num_fields))
    if pa.types.is_decimal(type_):
        return bool(type_.precision <= _MAX_DECIMAL_DIGITS)
    return not (pa.types.is_time(type_) or pa.types.is_float16(type_))


def _as_spark_has_it(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    type_ = column.type
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pc.floor_temporal(column, unit="microsecond").cast(pa.timestamp("us", type_.tz))
    stored = _stored(type_)
    return column if stored == type_ else column.cast(stored)


def _stored(type_: pa.DataType) -> pa.DataType:
    """Return the type that Spark reads: integers for durations and nanoseconds."""
    if pa.types.is_duration(type_):
        return pa.int64()
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.int64()
    if pa.types.is_struct(type_):
        return pa.struct([given.with_type(_stored(given.type)) for given in type_])
    if pa.types.is_map(type_):
        return pa.map_(_stored(type_.key_type), _stored(type_.item_type))
    if pa.types.is_list(type_):
        return pa.list_(type_.value_field.with_type(_stored(type_.value_type)))
    return type_
