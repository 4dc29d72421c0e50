"""The inputs of a graph that are images: their layout, and test rows for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from sightline.backends.backend import Array, UInt8Array
from sightline.bundle.fold import SourceInput, image_layouts, normalised
from sightline.bundle.golden import golden_images
from sightline.bundle.graph import bad_onnx
from sightline.bundle.image_settings import Preprocessing
from sightline.errors import WrongUseError


def image_inputs(
    model: onnx.ModelProto, images: Mapping[str, Preprocessing], what: str
) -> dict[str, SourceInput]:
    """Return the layout of each image input.

    Args:
        model: The graph.
        images: The preprocessing by input.
        what: The model, for messages.

    Raises:
        WrongUseError: UNKNOWN_INPUT; BAD_ONNX if an input cannot be an image of that size, or its
            shape does not show the channel axis.
    """
    values = {one.name: one for one in model.graph.input}
    found = {}
    for name, preprocessing in images.items():
        if name not in values:
            known = ", ".join(values)
            raise WrongUseError("UNKNOWN_INPUT", f"'{name}'. Known: {known}.")
        layouts = image_layouts(values[name], preprocessing, what)
        if len(layouts) > 1:
            raise bad_onnx(
                what,
                f"the shape of its input '{name}' does not show whether channels are first or "
                "last. Export it with the shape (n, 3, height, width) or (n, height, width, 3)",
            )
        found[name] = layouts[0]
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
