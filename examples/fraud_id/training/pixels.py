"""A generated dataset in memory, decoded and resized by the engine's own code."""

from __future__ import annotations

import csv
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from sightline.bundle.manifest import Preprocessing, Resize
from sightline.engine.decode import decode
from sightline.engine.preprocess import preprocess
from sightline.engine.spec import EngineSpec
from sightline.row_error import RowError
from tqdm import tqdm

# Two thirds of the photographs' 312 x 480, so nothing is squeezed: lines of the guilloche are
# then 1 to 2 pixels wide and letters 13 pixels high, the least that still shows a wrong serif.
MODEL_RESIZE = Resize("stretch", 208, 320, "bilinear")


def read_pixels(
    folder: Path, resize: Resize
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read folder/image_data.csv and its pictures.

    Args:
        folder: Written by generate.py.
        resize: The model's; MODEL_RESIZE, or smaller for a baseline.

    Returns:
        Images (n, height, width, 3) uint8 RGB, and class ids (n,) int64, in the table's order.

    Raises:
        click.UsageError: PATH_NOT_FOUND without a table, BAD_IMAGE if a picture cannot be decoded.
    """
    table = folder / "image_data.csv"
    if not table.is_file():
        message = f"PATH_NOT_FOUND: {table}. Make a dataset with examples/fraud_id/generate.py."
        raise click.UsageError(message)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = np.empty((len(rows), resize.height, resize.width, 3), np.uint8)
    preprocessing = Preprocessing("RGB", resize, None, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    for at, row in enumerate(tqdm(rows, unit="image", desc=str(folder), mininterval=1)):
        image = decode((folder / row["image_path"]).read_bytes(), EngineSpec())
        if isinstance(image, RowError):
            raise click.UsageError(f"BAD_IMAGE: {row['image_path']}: {image.message}")
        preprocess(image, preprocessing, images[at])
    labels = np.array([int(row["actual_class_id"]) for row in rows], np.int64)
    return images, labels
