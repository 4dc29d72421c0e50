"""The images of a job in each form that contenders read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_FILES = 8  # Parquet files of a table, so that every core gets some
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
    """The same images in three forms.

    Args:
        images: Number of images.
        folder: Folder of files 000000.jpg, 000001.jpg, …
        packed: Folder of Parquet files with the image bytes, in the layout of `pack-images`.
        paths: Folder of Parquet files with the column ``path``.
    """

    images: int
    folder: Path
    packed: Path
    paths: Path


def prepare_inputs(sources: Sequence[Path], images: int, folder: Path) -> Inputs:
    """Write the three forms of the images, unless the folder is already complete.

    Args:
        sources: Image files, repeated if there are fewer than `images`.
        images: Number of images.
        folder: Folder for the three forms.
    """
    inputs = Inputs(images, folder / "images", folder / "packed.parquet", folder / "paths.parquet")
    if (folder / "complete").is_file():
        return inputs
    shutil.rmtree(folder, ignore_errors=True)
    for form in (inputs.folder, inputs.packed, inputs.paths):
        form.mkdir(parents=True)
    files = []
    for at in range(images):
        file = inputs.folder / f"{at:06}{sources[at % len(sources)].suffix.lower()}"
        shutil.copyfile(sources[at % len(sources)], file)
        files.append(file)
    for part in range(_FILES):
        chunk = files[part * images // _FILES : (part + 1) * images // _FILES]
        name = f"part-{part:05}.parquet"
        pq.write_table(pa.table({"path": [str(file) for file in chunk]}), inputs.paths / name)
        _pack(chunk, inputs.packed / name)
    (folder / "complete").touch()
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
