"""The summary of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any

import onnx

from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.plugins.model_summary import Layer, ModelSummary

# Stored tensors of these types are shapes, axes and indices, not weights.
_NOT_TRAINED = (onnx.TensorProto.INT64, onnx.TensorProto.BOOL)


def read_graph(source: object) -> onnx.ModelProto:
    """Return the graph of a file, or the graph itself. Weights in other files are not read.

    Raises:
        WrongUseError: BAD_ONNX.
    """
    if isinstance(source, onnx.ModelProto):
        return source
    try:
        return onnx.load_model(str(source), load_external_data=False)
    except Exception as error:  # onnx's errors vary with the damage
        raise WrongUseError("BAD_ONNX", f"'{source}' is no ONNX file: {error}.") from error


def graph_summary(model: onnx.ModelProto, name: str) -> ModelSummary:
    """Return the summary of a graph: a node is a layer, with the weights that only it reads.

    Args:
        model: A graph; the shapes of its nodes are inferred.
        name: Name of the model.
    """
    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph
    except onnx.shape_inference.InferenceError:
        inferred = model.graph
    graph = model.graph
    stored = {one.name for one in graph.initializer}
    trained = (one for one in graph.initializer if one.data_type not in _NOT_TRAINED)
    weights = {one.name: prod(one.dims) for one in trained}
    known = [*inferred.value_info, *inferred.output]
    shapes = {one.name: f"({', '.join(map(str, _shape(one)))})" for one in known}
    layers, counted = [], set[str]()
    for node in graph.node:
        own = [one for one in node.input if one in weights and one not in counted]
        counted.update(own)
        outputs = " ".join(shapes.get(one, "") for one in node.output).strip()
        size = sum(weights[one] for one in own)
        layers.append(Layer(node.name or node.output[0], node.op_type, outputs, size))
    opset = max(
        (one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0
    )
    version = model.producer_version.removesuffix(" None")  # tf2onnx without a commit
    maker = f", by {model.producer_name} {version}".rstrip()
    return ModelSummary(
        name,
        f"ONNX opset {opset}{maker if model.producer_name else ''}",
        sum(weights.values()),
        _tensors(one for one in graph.input if one.name not in stored),
        _tensors(inferred.output if len(inferred.output) else graph.output),
        tuple(layers),
    )


def file_name(source: object, fallback: str) -> str:
    """Return the name of a file without its ending; else the fallback."""
    return Path(source).stem if isinstance(source, str | Path) else fallback


def _tensors(values: Iterable[Any]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(one.name, _dtype(one), _shape(one)) for one in values)


def _dtype(value: Any) -> str:  # noqa: ANN401 - onnx has no types
    type_ = value.type.tensor_type.elem_type
    if type_ == onnx.TensorProto.STRING:
        return "string"
    if not type_:
        return value.type.WhichOneof("value") or "unknown"
    return str(onnx.helper.tensor_dtype_to_np_dtype(type_))


def _shape(value: Any) -> tuple[int | str, ...]:  # noqa: ANN401
    if not value.type.tensor_type.HasField("shape"):
        return ("…",)
    axes = value.type.tensor_type.shape.dim
    return tuple(
        one.dim_value if one.HasField("dim_value") else _axis_name(one.dim_param) for one in axes
    )


def _axis_name(name: str) -> str:
    """Return the name of a free axis; `?` if onnx invented it."""
    return "?" if not name or name.startswith("unk__") else name
