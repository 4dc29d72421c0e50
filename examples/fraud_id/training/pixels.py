"""Reads a generated dataset into memory. The engine's code decodes and resizes the images."""

from __future__ import annotations

import csv
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from cards.capture import PHOTO_HEIGHT, PHOTO_WIDTH
from sightline.bundle.image_settings import Preprocessing, Resize
from sightline.engine.decode import decode_picture
from sightline.engine.feeds.preprocess import preprocess
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError
from tqdm import tqdm

# Two thirds of the photographs' 312 x 480, so that the aspect ratio is kept. Lines of the guilloche
# are then 1 to 2 pixels wide and letters 13 pixels high, the minimum for visible serifs.
MODEL_RESIZE = Resize("stretch", 208, 320, "bilinear")
SIGN_CELLS = (13, 20)  # rows and columns of the signs: a sixteenth of the model's input


def read_pixels(
    folder: Path, resize: Resize
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read folder/image_data.csv and its images.

    Args:
        folder: Written by generate.py.
        resize: The model's resize, MODEL_RESIZE, or a smaller one for a baseline.

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
        picture = decode_picture((folder / row["image_path"]).read_bytes(), EngineSettings())
        if isinstance(picture, RowError):
            raise click.UsageError(f"BAD_IMAGE: {row['image_path']}: {picture.message}")
        preprocess(picture, preprocessing, images[at])
    labels = np.array([int(row["actual_class_id"]) for row in rows], np.int64)
    return images, labels


def read_signs(folder: Path, labels: npt.NDArray[np.int64], kinds: int) -> npt.NDArray[np.float32]:
    """Read the forged regions of each image from folder/regions.csv.

    Args:
        folder: Written by generate.py.
        labels: (n,) class ids, in the order of image_data.csv.
        kinds: Number of kinds of forgery, which have the class ids below it.

    Returns:
        (n, kinds, height, width) float32: the share of each cell of SIGN_CELLS that is forged.
    """
    rows, columns = SIGN_CELLS
    with (folder / "image_data.csv").open(newline="") as file:
        places = {row["image_path"]: at for at, row in enumerate(csv.DictReader(file))}
    signs = np.zeros((len(labels), kinds, rows, columns), np.float32)
    with (folder / "regions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            at = places[row["image_path"]]
            across = _shares(int(row["left"]), int(row["right"]), PHOTO_WIDTH, columns)
            down = _shares(int(row["top"]), int(row["bottom"]), PHOTO_HEIGHT, rows)
            signs[at, labels[at]] = np.maximum(signs[at, labels[at]], np.outer(down, across))
    return signs


def _shares(start: int, end: int, length: int, cells: int) -> npt.NDArray[np.float32]:
    """Return the share of each cell along a side that start..end covers, (cells,) 0..1."""
    edges = np.linspace(0, length, cells + 1)
    covered = np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)
    return np.clip(covered * cells / length, 0, 1).astype(np.float32)
