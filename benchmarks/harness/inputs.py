"""The images of a run, as each contender reads them: a folder, packed tables, a list of paths."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_FILES = 8  # of each table, so that every core gets some
_ROW_GROUP_BYTES = 8 << 20
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("path", pa.string()),
    ("relative_path", pa.string()),
    ("length", pa.int64()),
    ("modification_time", pa.timestamp("us", "UTC")),
    ("label", pa.string()),
    ("content", pa.binary()),
    (
        "error",
        pa.struct([("code", pa.string()), ("stage", pa.string()), ("message", pa.string())]),
    ),
]
PACKED_SCHEMA = pa.schema(_FIELDS)


@dataclass(frozen=True)
class Inputs:
    """The same images in each shape.

    Args:
        images: How many.
        folder: One file each: 000000.jpg, 000001.jpg, …
        packed: A folder of Parquet files in the layout of `pack-images`, bytes inside.
        paths: A folder of Parquet files with the column ``path``.
    """

    images: int
    folder: Path
    packed: Path
    paths: Path


def prepare(sources: Sequence[Path], images: int, place: Path) -> Inputs:
    """Write the inputs, unless they are there. Sources are repeated where they are too few."""
    inputs = Inputs(images, place / "images", place / "packed.parquet", place / "paths.parquet")
    if (place / "complete").is_file():
        return inputs
    shutil.rmtree(place, ignore_errors=True)
    for folder in (inputs.folder, inputs.packed, inputs.paths):
        folder.mkdir(parents=True)
    files = []
    for at in range(images):
        file = inputs.folder / f"{at:06}{sources[at % len(sources)].suffix.lower()}"
        shutil.copyfile(sources[at % len(sources)], file)
        files.append(file)
    for part in range(_FILES):
        some = files[part * images // _FILES : (part + 1) * images // _FILES]
        name = f"part-{part:05}.parquet"
        pq.write_table(pa.table({"path": [str(file) for file in some]}), inputs.paths / name)
        _pack(some, inputs.packed / name)
    (place / "complete").touch()
    return inputs


def _pack(files: Sequence[Path], table: Path) -> None:
    contents = [file.read_bytes() for file in files]
    now = datetime.now(UTC)
    rows = pa.table(
        {
            "path": [str(file) for file in files],
            "relative_path": [file.name for file in files],
            "length": [len(content) for content in contents],
            "modification_time": [now] * len(files),
            "label": [None] * len(files),
            "content": contents,
            "error": [None] * len(files),
        },
        schema=PACKED_SCHEMA,
    )
    mean = max(sum(len(content) for content in contents) // max(len(files), 1), 1)
    group = max(_ROW_GROUP_BYTES // mean, 1)
    pq.write_table(rows, table, row_group_size=group, compression="none")
