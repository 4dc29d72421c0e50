"""The images of a job in each form that contenders read."""

from __future__ import annotations

import os
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
class ImageSet:
    """Images of one kind.

    Args:
        name: Start of the names of its files in a job, such as ``baseline-``; may be empty.
        title: In tables.
        share: Share of a regime's images, 0 to 1.
        files: The images, in order; repeated if a job has more.
    """

    name: str
    title: str
    share: float
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Inputs:
    """The same images in three forms.

    Args:
        images: Number of images.
        folder: Folder of files 000000.jpg, 000001.jpg, … with the names of their sets before.
        packed: Folder of Parquet files with the image bytes, in the layout of `pack-images`.
        paths: Folder of Parquet files with the column ``path``.
    """

    images: int
    folder: Path
    packed: Path
    paths: Path


def prepare_inputs(sets: Sequence[ImageSet], counts: Sequence[int], folder: Path) -> Inputs:
    """Write the three forms of the images, unless the folder is already complete.

    The sets are mixed evenly, so that every partition has some of each.

    Args:
        sets: Kinds of images.
        counts: Number of images of each set.
        folder: Folder for the three forms.
    """
    total = sum(counts)
    inputs = Inputs(total, folder / "images", folder / "packed.parquet", folder / "paths.parquet")
    if (folder / "complete").is_file():
        return inputs
    shutil.rmtree(folder, ignore_errors=True)
    for form in (inputs.folder, inputs.packed, inputs.paths):
        form.mkdir(parents=True)
    copies = folder / "copies"
    copies.mkdir()
    placed: list[tuple[float, Path]] = []
    for at_set, (images, count) in enumerate(zip(sets, counts, strict=True)):
        for at in range(count):
            source = images.files[at % len(images.files)]
            file = inputs.folder / f"{images.name}{at:06}{source.suffix.lower()}"
            copy = copies / f"{at_set}-{at % len(images.files)}"
            if not copy.is_file():
                shutil.copyfile(source, copy)
            os.link(copy, file)  # large photographs are repeated
            placed.append((at / count, file))
    shutil.rmtree(copies)
    files = [file for _, file in sorted(placed)]
    for part in range(_FILES):
        chunk = files[part * total // _FILES : (part + 1) * total // _FILES]
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
