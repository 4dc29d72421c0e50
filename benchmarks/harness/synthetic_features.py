"""Writes a table of synthetic features, in the layout of `features`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

LABELS = 24
_PART_ROWS = 10_000
_GROUP_ROWS = 2_000
_DIRECTIONS = 128  # with standard deviations 1, 1/√2, 1/√3, …
_NOISE = 0.02  # standard deviation
_ERROR = pa.struct([("code", pa.string()), ("stage", pa.string()), ("message", pa.string())])
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("path", pa.string()),
    ("label", pa.string()),
    ("label_id", pa.int32()),
    ("filename", pa.string()),
    ("split", pa.string()),
    ("features", pa.list_(pa.float32())),
    ("error", _ERROR),
]
_SCHEMA = pa.schema(_FIELDS)


def write_features(folder: Path, rows: int, features: int, seed: int = 0) -> None:
    """Write the table in parts. Only one part is in memory at a time.

    A row is the centre of its label, plus a weighted sum of 128 directions with decreasing
    standard deviations, plus noise. The features are correlated and have full rank. Three of four
    rows are for training.

    Args:
        folder: Folder to create.
        rows: Number of rows, at least 1.
        features: Length of each vector.
        seed: Random seed. Each part has its own stream, so a larger table starts with the rows of
            a smaller one.
    """
    folder.mkdir(parents=True)
    shape = np.random.default_rng(seed)
    spreads = 1 / np.sqrt(np.arange(1, _DIRECTIONS + 1, dtype=np.float32))
    directions = shape.standard_normal((_DIRECTIONS, features), np.float32) / np.sqrt(features)
    directions *= spreads[:, None]
    centres = shape.standard_normal((LABELS, _DIRECTIONS), np.float32)
    with tqdm(total=rows, unit=" rows", file=sys.stderr, desc="rows", mininterval=1) as bar:
        for part, first in enumerate(range(0, rows, _PART_ROWS)):
            count = min(_PART_ROWS, rows - first)
            stream = np.random.default_rng([seed, part])
            at = np.arange(first, first + count)
            weights = stream.standard_normal((count, _DIRECTIONS), np.float32)
            values = (weights + centres[at % LABELS]) @ directions  # (count, features)
            values += _NOISE * stream.standard_normal((count, features), np.float32)
            file = folder / f"part-{part:05}.parquet"
            pq.write_table(
                _table(at, values),
                file,
                row_group_size=_GROUP_ROWS,
                compression="none",
                use_dictionary=False,
            )
            bar.update(count)


def _table(at: np.ndarray[tuple[int], np.dtype[np.int64]], values: np.ndarray) -> pa.Table:
    count, features = values.shape
    # The split changes after each cycle through the labels, so that every label is in both.
    splits = ["test" if row // LABELS % 4 == 3 else "train" for row in at.tolist()]
    labels = [f"class {row % LABELS:02}" for row in at.tolist()]
    names = [f"{row:09}.jpg" for row in at.tolist()]
    folders = {"train": "Training", "test": "Test"}
    paths = [
        f"/synthetic/{folders[split]}/{label}/{name}"
        for split, label, name in zip(splits, labels, names, strict=True)
    ]
    flat = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), features)
    vectors = flat.cast(pa.list_(pa.float32()))
    columns = [paths, labels, (at % LABELS).astype(np.int32), names, splits, vectors]
    return pa.table([*columns, pa.nulls(count, _ERROR)], schema=_SCHEMA)
