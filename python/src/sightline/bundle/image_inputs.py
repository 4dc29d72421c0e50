"""The inputs of a graph that are images: their layout, and test rows for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from sightline.backends.backend import Array, UInt8Array
from sightline.bundle.add_request import PIXELS_AS_THEY_ARE
from sightline.bundle.fold import SourceInput, image_layouts, normalised
from sightline.bundle.golden import golden_images
from sightline.bundle.graph import bad_onnx
from sightline.bundle.image_settings import Preprocessing
from sightline.errors import WrongUseError


def name_images(
    images: Mapping[str, Preprocessing], inputs: Sequence[str], what: str
) -> dict[str, Preprocessing]:
    """Return the preprocessing by the input's name, where "" means the only input.

    Raises:
        WrongUseError: UNKNOWN_INPUT for another name, or for "" and several inputs.
    """
    known = ", ".join(inputs)
    if "" in images and len(inputs) > 1:
        raise WrongUseError(
            "UNKNOWN_INPUT",
            f"'{what}' has several inputs, {known}. State which is an image: --input NAME=image.",
        )
    named = {name or inputs[0]: one for name, one in images.items()}
    for name in named:
        if name not in inputs:
            raise WrongUseError("UNKNOWN_INPUT", f"'{name}'. Known: {known}.")
    return named


def image_inputs(
    model: onnx.ModelProto, images: Mapping[str, Preprocessing], what: str
) -> dict[str, SourceInput]:
    """Return the layout of each image input.

    Args:
        model: The graph.
        images: The preprocessing by input.
        what: The model, for messages.

    Raises:
        WrongUseError: BAD_ONNX if an input cannot be an image of that size, or its shape does not
            show the channel axis; BAD_PREPROCESSING for mean and std of an input of uint8 pixels.
    """
    values = {one.name: one for one in model.graph.input}
    found = {}
    for name, preprocessing in images.items():
        layouts = image_layouts(values[name], preprocessing, what)
        if len(layouts) > 1:
            raise bad_onnx(
                what,
                f"the shape of its input '{name}' does not show whether channels are first or "
                "last. Export it with the shape (n, 3, height, width) or (n, height, width, 3)",
            )
        found[name] = layouts[0]
        statistics = np.array([preprocessing.mean, preprocessing.std])
        pixels = layouts[0].tensor.dtype == "uint8"
        if pixels and not np.allclose(statistics, PIXELS_AS_THEY_ARE, rtol=1e-4):
            raise WrongUseError(
                "BAD_PREPROCESSING",
                f"the input '{name}' takes uint8 pixels and normalises them itself, so --mean and "
                "--std would have no effect. Give --mean 0 and --std 0.00392157.",
            )
    return found


def example_images(preprocessing: Preprocessing, at: int) -> UInt8Array:
    """Return the four golden images in an order that differs for each of several image inputs.

    Args:
        preprocessing: Has the size.
        at: Number of the input.
    """
    images: UInt8Array = np.roll(golden_images(preprocessing.size), at, axis=0)
    return images


def image_rows(
    layouts: Mapping[str, SourceInput], images: Mapping[str, Preprocessing]
) -> dict[str, Array]:
    """Return the normalised test images of each image input, in its layout and dtype."""
    return {
        name: normalised(example_images(images[name], at), images[name], layout)
        for at, (name, layout) in enumerate(layouts.items())
    }
