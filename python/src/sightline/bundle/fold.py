"""Adds normalisation and layout to an ONNX graph, so that its input is uint8 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sightline.backends.backend import UInt8Array
from sightline.bundle.graph import bad_onnx, default_opset, image_input, strip_notes, tensor_of
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.node_order import rename_value
from sightline.bundle.outputs import KeptOutput
from sightline.bundle.tensor_spec import TensorSpec

_OLDEST_OPSET = 7  # the first in which Mul and Add broadcast as numpy does
_NUMPY = {"float32": np.float32, "float16": np.float16, "float64": np.float64}


@dataclass(frozen=True)
class SourceInput:
    """The input that the file declares, for a run without folding.

    Attributes:
        tensor: Name, dtype and shape of the input in the file.
        layout: Whether the channel axis is first or last.
        batch: The number of rows that it is fixed to; 0 if any number is accepted.
    """

    tensor: TensorSpec
    layout: Literal["NCHW", "NHWC"]
    batch: int


def read_inputs(
    model: onnx.ModelProto, preprocessing: Preprocessing, path: Path
) -> list[SourceInput]:
    """Read the image input and check it against the preprocessing.

    Returns:
        One description of the input, or two if its shape does not show the channel axis.

    Raises:
        WrongUseError: BAD_ONNX if the input is not (n, 3, height, width) or (n, height, width, 3),
            is neither floating point nor uint8, or has another height or width.
    """
    return image_layouts(image_input(model, path), preprocessing, path)


def image_layouts(
    value: onnx.ValueInfoProto, preprocessing: Preprocessing, path: Path | str
) -> list[SourceInput]:
    """Do what `read_inputs` does for one input.

    Raises:
        WrongUseError: See `read_inputs`.
    """
    tensor = tensor_of(value)
    if tensor.dtype != "uint8" and tensor.dtype not in _NUMPY:
        raise bad_onnx(
            path,
            f"its input '{tensor.name}' is {tensor.dtype}, but images are given as float32, "
            "float16, float64 or uint8",
        )
    shape = tensor.shape if value.type.tensor_type.HasField("shape") else ("?",) * 4
    layouts: list[Literal["NCHW", "NHWC"]] = []
    if len(shape) == 4 and _may_be(shape[1], 3):
        layouts.append("NCHW")
    if len(shape) == 4 and _may_be(shape[3], 3) and shape[1] != 3:
        layouts = ["NHWC"] if shape[3] == 3 else [*layouts, "NHWC"]
    if not layouts:
        raise bad_onnx(
            path,
            f"its input '{tensor.name}' has shape {_text(shape)}, not (n, 3, height, width) or "
            "(n, height, width, 3)",
        )
    size = (preprocessing.size.height, preprocessing.size.width)
    images = [shape[2:] if layout == "NCHW" else shape[1:3] for layout in layouts]
    fitting = [
        layout
        for layout, found in zip(layouts, images, strict=True)
        if all(_may_be(axis, wanted) for axis, wanted in zip(found, size, strict=True))
    ]
    if not fitting:
        raise bad_onnx(
            path,
            f"its images are {_text(images[0])} (height, width), but --resize and --crop give "
            f"{_text(size)}",
        )
    batch = shape[0] if isinstance(shape[0], int) else 0
    return [SourceInput(tensor, layout, batch) for layout in fitting]


def normalised(images: UInt8Array, preprocessing: Preprocessing, source: SourceInput) -> np.ndarray:
    """Return the file's input for some images: (x / 255 - mean) / std, rounded once.

    Args:
        images: (n, height, width, 3) uint8.
        preprocessing: Mean and std. A graph that takes uint8 ignores them.
        source: Dtype and layout of the input.
    """
    pixels: np.ndarray = images
    if source.tensor.dtype != "uint8":
        unit = images / 255.0
        normal = (unit - np.asarray(preprocessing.mean)) / np.asarray(preprocessing.std)
        pixels = normal.astype(source.tensor.dtype)
    if source.layout == "NCHW":
        pixels = pixels.transpose(0, 3, 1, 2)  # (n, 3, height, width)
    return np.ascontiguousarray(pixels)


def fold_pixels(
    model: onnx.ModelProto,
    source: SourceInput,
    preprocessing: Preprocessing,
    outputs: Sequence[KeptOutput],
    path: Path,
) -> onnx.ModelProto:
    """Return a copy of the graph that takes uint8 (n, height, width, 3) and returns float32.

    Cast, Transpose, Mul and Add are added before the graph. They compute in float32, also if the
    graph computes in another type. The last of them produces the value that was the input, so no
    other value is renamed. A graph that takes uint8 keeps its own normalisation. The steps of each
    kept output are added after the graph.

    Raises:
        WrongUseError: BAD_ONNX if the graph's operators are too old for these steps.
    """
    if default_opset(model) < _OLDEST_OPSET:
        raise bad_onnx(path, f"its opset {default_opset(model)} is older than {_OLDEST_OPSET}")
    folded = onnx.ModelProto()
    folded.CopyFrom(model)
    strip_notes(folded)
    graph = folded.graph
    del graph.value_info[:]  # they contain the old batch; runtimes infer shapes again
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    taken |= {one.name for one in (*graph.input, *graph.output, *graph.initializer)}
    name = next(one for one in ("images", "pixels", "sightline_images") if one not in taken)
    inputs = sorted(graph.input, key=lambda one: one.name != source.tensor.name)  # it is first
    del graph.input[:], graph.output[:]
    graph.input.extend(inputs)
    _replace_input(graph, name, source, preprocessing, "sightline")
    for output in outputs:
        add_output(graph, output)
    return folded


def fold_pixel_input(
    graph: onnx.GraphProto, source: SourceInput, preprocessing: Preprocessing
) -> None:
    """Make an input take uint8 pixels, with the same name, in place. See `fold_pixels`."""
    name = source.tensor.name
    inner = replace(source, tensor=replace(source.tensor, name=f"sightline/{name}/input"))
    rename_value(graph, name, inner.tensor.name)
    for value in graph.input:
        if value.name == name:
            value.name = inner.tensor.name
    _replace_input(graph, name, inner, preprocessing, f"sightline/{name}")


def _replace_input(
    graph: onnx.GraphProto,
    name: str,
    source: SourceInput,
    preprocessing: Preprocessing,
    prefix: str,
) -> None:
    """Replace the source's input by uint8 pixels, at its place, and the nodes that make it."""
    size = preprocessing.size
    image = helper.make_tensor_value_info(
        name, TensorProto.UINT8, ["n", size.height, size.width, 3]
    )
    nodes = [*_front_nodes(graph, name, source, preprocessing, prefix), *graph.node]
    inputs = [image if one.name == source.tensor.name else one for one in graph.input]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.extend(inputs)


def _front_nodes(
    graph: onnx.GraphProto,
    name: str,
    source: SourceInput,
    preprocessing: Preprocessing,
    prefix: str,
) -> list[onnx.NodeProto]:
    steps: list[tuple[str, list[str], dict[str, Any]]] = []
    scale, bias = f"{prefix}/scale", f"{prefix}/bias"
    if source.tensor.dtype != "uint8":
        steps.append(("Cast", [], {"to": TensorProto.FLOAT}))
    if source.layout == "NCHW":
        steps.append(("Transpose", [], {"perm": [0, 3, 1, 2]}))  # (n, 3, height, width)
    if source.tensor.dtype != "uint8":
        shape = (1, 3, 1, 1) if source.layout == "NCHW" else (1, 1, 1, 3)
        for part, values in zip(("scale", "bias"), preprocessing.scale_and_bias, strict=True):
            array = np.asarray(values, np.float32).reshape(shape)
            graph.initializer.append(numpy_helper.from_array(array, f"{prefix}/{part}"))
        steps += [("Mul", [scale], {}), ("Add", [bias], {})]
    if source.tensor.dtype in ("float16", "float64"):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(_NUMPY[source.tensor.dtype]))
        steps.append(("Cast", [], {"to": kind}))
    steps = steps or [("Identity", [], {})]
    nodes = []
    for at, (operator, constants, attributes) in enumerate(steps):
        output = source.tensor.name if at == len(steps) - 1 else f"{prefix}/{operator.lower()}"
        nodes.append(
            helper.make_node(
                operator, [name, *constants], [output], f"{prefix}/{operator}_{at}", **attributes
            )
        )
        name = output
    return nodes


def add_output(graph: onnx.GraphProto, output: KeptOutput) -> None:
    """Add the steps from a value of the file to (n, …) float32, and add the last as an output."""
    value = output.source

    def step(operator: str, *others: str, **attributes: Any) -> str:  # noqa: ANN401
        made = f"sightline/{output.source}/{operator.lower()}"
        graph.node.append(helper.make_node(operator, [value, *others], [made], **attributes))
        return made

    if output.dtype != "float32":
        value = step("Cast", to=TensorProto.FLOAT)
    if output.change != "none":
        value = step("Flatten", axis=1)  # (n, length)
    if output.change == "logit of two":
        value = step("Sigmoid")
    if output.change in ("logit of two", "probability of two"):
        one, other = f"sightline/{output.source}/one", f"sightline/{output.source}/other"
        graph.initializer.append(numpy_helper.from_array(np.ones((1, 1), np.float32), one))
        graph.node.append(helper.make_node("Sub", [one, value], [other]))
        graph.node.append(
            helper.make_node("Concat", [other, value], [f"{other}/both"], axis=1)
        )  # (n, 2)
        value = f"{other}/both"
    if value != output.source:
        graph.node.append(helper.make_node("Identity", [value], [output.name]))
    graph.output.append(
        helper.make_tensor_value_info(output.name, TensorProto.FLOAT, output.tensor.shape)
    )


def _may_be(axis: int | str, wanted: int) -> bool:
    return axis == wanted or not isinstance(axis, int)


def _text(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
