"""Test values for the inputs of a model whose meaning is unknown.

This file needs numpy alone: `saved_model_script.py` uses it in TensorFlow's interpreter, which does
not have Sightline.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ROWS = 4
# Lengths that are tried in turn for the free axes: of sequences, then of images.
FREE_LENGTHS = (8, 32, 96, 224)


def rows_of(
    name: str, dtype: str, shape: Sequence[int], highest: int | None = None
) -> npt.NDArray[Any]:
    """Return fixed values for one input, the same in every process.

    Numbers with a fraction are normally distributed. Integers are 0 or 1, which any table of an
    embedding contains, and bytes 0 to 255, because they are pixels.

    Args:
        name: Name of the input; two inputs get different values.
        dtype: numpy's name of the element type.
        shape: Shape of the values, with the number of rows first.
        highest: Largest value of an integer, if more is known than its type.

    Raises:
        TypeError: If the type is not a number or a boolean.
    """
    kind = np.dtype(dtype)
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if kind.kind == "f":
        return random.standard_normal(tuple(shape)).astype(kind)
    if kind.kind not in "iub":
        raise TypeError(f"input '{name}' is {dtype}, not a tensor of numbers")
    limit = highest if highest is not None else 255 if kind == np.uint8 else 1
    return random.integers(0, max(limit, 1) + 1, tuple(shape)).astype(kind)


def batch_rows(shapes: Mapping[str, Sequence[int | None]]) -> int:
    """Return the number of test rows for these shapes: four, or one if the batch is fixed at one.

    Args:
        shapes: Shape of each input, with None for a free axis.

    Raises:
        ValueError: If the batch axis is missing, or fixed at another number.
    """
    for name, shape in shapes.items():
        if not shape:
            raise ValueError(f"its input '{name}' is one number without a batch axis")
    first = {shape[0] for shape in shapes.values()}
    if first == {None}:
        return ROWS
    if first == {1}:
        return 1
    lengths = ", ".join(f"{name}: {shape[0] or 'any'}" for name, shape in shapes.items())
    raise ValueError(f"the lengths of the first axes are fixed ({lengths})")
