"""Putting normalisation and layout into an ONNX graph, so that it takes pixels as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sightline.bundle.graph import bad_onnx, default_opset, image_input, strip_notes, tensor_of
from sightline.bundle.manifest import Preprocessing, Tensor

_OLDEST_OPSET = 7  # the first in which Mul and Add broadcast as numpy does
_NUMPY = {"float32": np.float32, "float16": np.float16, "float64": np.float64}


@dataclass(frozen=True)
class SourceInput:
    """What the file itself wants: how to feed it by hand.

    Attributes:
        tensor: The input as the file declares it.
        layout: Where the colours are.
        batch: The number of rows that it is fixed to; 0 if any number will do.
    """

    tensor: Tensor
    layout: Literal["NCHW", "NHWC"]
    batch: int


def read_input(model: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> SourceInput:
    """Introspect the images' input and hold it against the preprocessing.

    Raises:
        WrongUseError: BAD_ONNX if it is not (n, 3, height, width) or (n, height, width, 3) of
            floats or uint8, or of another height or width.
    """
    tensor = tensor_of(image_input(model, path))
    if tensor.dtype != "uint8" and tensor.dtype not in _NUMPY:
        raise bad_onnx(path, f"its input '{tensor.name}' is {tensor.dtype}, not floats or uint8")
    shape = tensor.shape
    if len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise bad_onnx(
            path,
            f"its input '{tensor.name}' has shape {_text(shape)}, not (n, 3, height, width) or "
            "(n, height, width, 3)",
        )
    layout: Literal["NCHW", "NHWC"] = "NCHW" if shape[1] == 3 else "NHWC"
    found = shape[2:] if layout == "NCHW" else shape[1:3]
    size = (preprocessing.size.height, preprocessing.size.width)
    for axis, wanted in zip(found, size, strict=True):
        if isinstance(axis, int) and axis != wanted:
            raise bad_onnx(
                path,
                f"its images are {_text(found)} (height, width), but --resize and --crop give "
                f"{_text(size)}",
            )
    return SourceInput(tensor, layout, shape[0] if isinstance(shape[0], int) else 0)


def fold_pixels(
    model: onnx.ModelProto, source: SourceInput, preprocessing: Preprocessing, path: Path
) -> onnx.ModelProto:
    """A copy of the graph that takes uint8 (n, height, width, 3) and gives float32.

    Cast, Transpose, Mul and Add go in front; the last of them gives the value that was the input,
    so that nothing else is renamed. A graph that takes uint8 already keeps its own normalisation.

    Raises:
        WrongUseError: BAD_ONNX if its operators are too old for that.
    """
    if default_opset(model) < _OLDEST_OPSET:
        raise bad_onnx(path, f"its opset {default_opset(model)} is older than {_OLDEST_OPSET}")
    folded = onnx.ModelProto()
    folded.CopyFrom(model)
    strip_notes(folded)
    graph = folded.graph
    del graph.value_info[:]  # they hold the old batch; runtimes infer shapes again
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    taken |= {one.name for one in (*graph.input, *graph.output, *graph.initializer)}
    size = preprocessing.size
    name = next(one for one in ("images", "pixels", "sightline_images") if one not in taken)
    image = helper.make_tensor_value_info(
        name, TensorProto.UINT8, ["n", size.height, size.width, 3]
    )
    front = _front_nodes(graph, name, source, preprocessing)
    nodes = [*front, *graph.node]
    weights = [one for one in graph.input if one.name != source.tensor.name]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.extend([image, *weights])
    _float32_outputs(graph)
    return folded


def free_reshapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which a Reshape to (1, …) takes its first length from its input instead."""
    freed = onnx.ModelProto()
    freed.CopyFrom(model)
    shapes = {node.input[1] for node in freed.graph.node if node.op_type == "Reshape"}
    constants = [one for one in freed.graph.initializer if one.name in shapes]
    for node in freed.graph.node:
        if node.op_type == "Constant" and node.output[0] in shapes:
            constants += [one.t for one in node.attribute if one.name == "value"]
    for tensor in constants:
        lengths = numpy_helper.to_array(tensor).copy()
        if lengths.ndim == 1 and lengths.size > 1 and lengths[0] == 1:
            lengths[0] = 0  # in ONNX: the input's own length
            tensor.CopyFrom(numpy_helper.from_array(lengths, tensor.name))
    return freed


def _front_nodes(
    graph: onnx.GraphProto, name: str, source: SourceInput, preprocessing: Preprocessing
) -> list[onnx.NodeProto]:
    steps: list[tuple[str, list[str], dict[str, Any]]] = []
    if source.layout == "NCHW":
        steps.append(("Transpose", [], {"perm": [0, 3, 1, 2]}))  # (n, 3, height, width)
    if source.tensor.dtype != "uint8":
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(_NUMPY[source.tensor.dtype]))
        steps.insert(0, ("Cast", [], {"to": kind}))
        shape = (1, 3, 1, 1) if source.layout == "NCHW" else (1, 1, 1, 3)
        for part, values in zip(("scale", "bias"), preprocessing.scale_and_bias, strict=True):
            array = np.asarray(values, _NUMPY[source.tensor.dtype]).reshape(shape)
            graph.initializer.append(numpy_helper.from_array(array, f"sightline/{part}"))
        steps += [("Mul", ["sightline/scale"], {}), ("Add", ["sightline/bias"], {})]
    steps = steps or [("Identity", [], {})]
    nodes = []
    for at, (operator, constants, attributes) in enumerate(steps):
        last = at == len(steps) - 1
        output = source.tensor.name if last else f"sightline/{operator.lower()}"
        nodes.append(
            helper.make_node(
                operator, [name, *constants], [output], f"sightline/{operator}_{at}", **attributes
            )
        )
        name = output
    return nodes


def _float32_outputs(graph: onnx.GraphProto) -> None:
    """Free the outputs' first axis; cast what is float16 or float64."""
    outputs = []
    for output in graph.output:
        tensor = tensor_of(output)
        axes = ["n", *tensor.shape[1:]] if tensor.shape else []
        name, kind = output.name, output.type.tensor_type.elem_type
        if tensor.dtype in ("float16", "float64"):
            name, kind = f"{output.name}_float32", TensorProto.FLOAT
            graph.node.append(helper.make_node("Cast", [output.name], [name], to=kind))
        plain = [None if axis == "?" else axis for axis in axes]
        outputs.append(helper.make_tensor_value_info(name, kind, plain))
    del graph.output[:]
    graph.output.extend(outputs)


def _text(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
