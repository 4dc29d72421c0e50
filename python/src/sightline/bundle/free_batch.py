"""Changes a graph that was exported for a fixed number of images, so that it accepts any number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sightline.bundle.node_order import names_read

_Shapes = dict[str, tuple[int, ...]]
_NONE = np.zeros(0, np.int64)


def free_batch(model: onnx.ModelProto, inputs: Sequence[str], batch: int) -> onnx.ModelProto:
    """Return a copy whose constants no longer contain the number of images of the export.

    The first length of a Reshape becomes -1, which means the remaining elements; the other lengths
    stay. A constant that is concatenated to each image's values, such as the class token of a
    vision transformer, is repeated for each image. This is correct if images, or other rows, are
    the first axis of every value. So the caller must compare the results of the copy with those of
    the file.

    Args:
        model: A model whose nodes are in order.
        inputs: Names of the inputs.
        batch: The number of images of the export; 0 if the input accepts any number.
    """
    freed = onnx.ModelProto()
    freed.CopyFrom(model)
    graph = freed.graph
    shapes, constants = _known_shapes(model), _integer_constants(graph)
    follows = _following(graph, inputs)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        _undo_strided_view(graph, node, constants)
        if node.op_type == "Reshape" and node.input[0] in follows and node.input[1] in constants:
            _free_reshape(graph, node, shapes, constants[node.input[1]], batch)
        elif node.op_type == "Expand" and node.input[1] in constants:
            lengths = constants[node.input[1]].copy()
            if lengths.size > 1 and lengths[0] == max(batch, 1):
                lengths[0] = 1  # Expand keeps the longer of the two
                node.input[1] = _constant(graph, f"{node.output[0]}/lengths", lengths)
        elif node.op_type == "Concat" and any(name in follows for name in node.input):
            nodes += _repeat_constants(graph, node, shapes, follows, inputs[0], batch)
        nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return freed


def _free_reshape(
    graph: onnx.GraphProto, node: onnx.NodeProto, shapes: _Shapes, given: np.ndarray, batch: int
) -> None:
    lengths = np.array(shapes.get(node.output[0], given), np.int64)
    if lengths.size < 2 or (batch == 0 and lengths[0] != 1):
        return
    rest = lengths[1:]
    if (rest > 0).all():
        lengths[0] = -1
    elif lengths[0] == max(batch, 1):
        lengths[0] = 0  # the input's own length, unless allowzero is set
    else:
        return
    if 0 in rest and _allows_zero(node):
        return
    for attribute in [one for one in node.attribute if one.name == "allowzero"]:
        node.attribute.remove(attribute)
    node.input[1] = _constant(graph, f"{node.output[0]}/lengths", lengths)


def _undo_strided_view(
    graph: onnx.GraphProto, node: onnx.NodeProto, constants: dict[str, np.ndarray]
) -> None:
    """Turn Reshape to (-1,) and Gather of 0, 1, 2, … into one Reshape.

    torch exports this form of a view for the normalisation of ConvNeXt's pooled values. The Gather
    contains the indices of one image.
    """
    if node.op_type != "Gather" or any(one.name == "axis" and one.i for one in node.attribute):
        return
    flat = next((one for one in graph.node if node.input[0] in one.output), None)
    if flat is None or flat.op_type != "Reshape" or constants.get(flat.input[1], _NONE).size != 1:
        return
    places = next((one for one in graph.initializer if one.name == node.input[1]), None)
    if places is None or len(places.dims) < 2:
        return
    indices = numpy_helper.to_array(places)
    if np.array_equal(indices.reshape(-1), np.arange(indices.size)):
        del node.attribute[:]
        node.op_type = "Reshape"
        lengths = np.array([-1, *indices.shape[1:]], np.int64)
        view = _constant(graph, f"{node.output[0]}/view", lengths)
        constants[view] = lengths
        del node.input[:]
        node.input.extend([flat.input[0], view])


def _repeat_constants(
    graph: onnx.GraphProto,
    node: onnx.NodeProto,
    shapes: _Shapes,
    follows: set[str],
    image: str,
    batch: int,
) -> list[onnx.NodeProto]:
    axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
    made: list[onnx.NodeProto] = []
    for at, name in enumerate(node.input):
        shape = shapes.get(name, ())
        if name in follows or axis == 0 or len(shape) < 2 or shape[0] != 1 or batch not in (0, 1):
            continue
        start = f"sightline/{node.output[0]}/{at}"
        bounds = [_constant(graph, f"{start}/{k}", np.array([k], np.int64)) for k in (0, 1)]
        ones = _constant(graph, f"{start}/ones", np.ones(len(shape) - 1, np.int64))
        made += [
            helper.make_node("Shape", [image], [f"{start}/shape"]),
            helper.make_node("Slice", [f"{start}/shape", *bounds], [f"{start}/rows"]),
            helper.make_node("Concat", [f"{start}/rows", ones], [f"{start}/lengths"], axis=0),
            helper.make_node("Expand", [name, f"{start}/lengths"], [f"{start}/repeated"]),
        ]
        node.input[at] = f"{start}/repeated"
    return made


def _known_shapes(model: onnx.ModelProto) -> _Shapes:
    """Return the shape of each value whose lengths are all known."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        inferred = model.graph
    found = {one.name: tuple(one.dims) for one in model.graph.initializer}
    for value in inferred.value_info:
        axes = value.type.tensor_type.shape.dim
        if axes and all(axis.HasField("dim_value") for axis in axes):
            found[value.name] = tuple(axis.dim_value for axis in axes)
    return found


def _integer_constants(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    tensors = [(one.name, one) for one in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant":
            tensors += [(node.output[0], one.t) for one in node.attribute if one.name == "value"]
    return {
        name: numpy_helper.to_array(one).copy()
        for name, one in tensors
        if one.data_type == onnx.TensorProto.INT64 and len(one.dims) == 1
    }


def _following(graph: onnx.GraphProto, inputs: Sequence[str]) -> set[str]:
    """Return the names of the values that depend on the inputs."""
    found = set(inputs)
    for node in graph.node:
        if any(name in found for name in names_read(node)):
            found.update(node.output)
    return found


def _constant(graph: onnx.GraphProto, name: str, values: np.ndarray) -> str:
    graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def _allows_zero(node: onnx.NodeProto) -> bool:
    return any(one.name == "allowzero" and one.i for one in node.attribute)
