"""Write results as Parquet, CSV or JSON lines."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

Format = Literal["parquet", "csv", "json"]


class PartWriter(Protocol):
    """Writes batches of one schema to a file, which is complete after `close`."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of one batch."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def open_part(folder: Path, format_: Format, schema: pa.Schema) -> PartWriter:
    """Open a writer for ``part-00000`` in an existing folder."""
    file = folder / f"part-00000.{format_}"
    if format_ == "parquet":
        return _Parquet(file, schema)
    return _Csv(file, schema) if format_ == "csv" else _JsonLines(file)


class _Parquet:
    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._writer = parquet.ParquetWriter(file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, file: Path, schema: pa.Schema) -> None:
        empty = pa.RecordBatch.from_pylist([], schema)
        self._writer = csv.CSVWriter(file, _flat(empty).schema)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(_flat(batch))

    def close(self) -> None:
        self._writer.close()


class _JsonLines:
    def __init__(self, file: Path) -> None:
        self._stream: IO[str] = file.open("w", encoding="utf-8")

    def write(self, batch: pa.RecordBatch) -> None:
        self._stream.writelines(f"{_json(row)}\n" for row in batch.to_pylist())

    def close(self) -> None:
        self._stream.close()


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Flatten prediction and error to prediction_label … error_message, as CSV has no structs."""
    columns: dict[str, pa.Array[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in ("prediction", "error"):
            for field in column.type:
                columns[f"{name}_{field.name}"] = pc.struct_field(column, field.name)
        else:
            columns[name] = column
    return pa.RecordBatch.from_pydict({name: _as_text(column) for name, column in columns.items()})


def _as_text(column: pa.Array[Any]) -> pa.Array[Any]:
    """Convert lists and structs to JSON, and bytes to base64; other types stay."""
    if pa.types.is_nested(column.type):
        texts = [None if value is None else _json(value) for value in column.to_pylist()]
    elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        texts = [None if value is None else _plain(value) for value in column.to_pylist()]
    else:
        return column
    return pa.array(texts, pa.string())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    """Convert values that JSON does not have: bytes to base64, times and decimals to text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
