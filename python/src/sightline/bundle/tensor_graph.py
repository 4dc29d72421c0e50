"""Prepares an ONNX graph whose inputs and outputs are tensors of numbers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

import onnx
from onnx import TensorProto, helper

from sightline.bundle.graph import bad_onnx, default_opset, remove_unused_inputs, tensor_of
from sightline.bundle.node_order import names_read, order_nodes
from sightline.bundle.tensor_spec import DTYPES, TensorSpec
from sightline.errors import WrongUseError

OLDEST_OPSET = 9
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class TensorGraph:
    """A graph that takes and gives only tensors of numbers.

    Attributes:
        model: The graph. Each output is a tensor; its declared shape may be missing or wrong.
        labels: Class labels of the outputs that a ZipMap gave, by output name.
        notes: Lines for the user about outputs and inputs that were removed.
    """

    model: onnx.ModelProto
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[TensorSpec]:
        """The inputs that are not initializers, as the graph declares them."""
        weights = {one.name for one in self.model.graph.initializer}
        return [tensor_of(one) for one in self.model.graph.input if one.name not in weights]


def prepare_graph(model: onnx.ModelProto, inner: Sequence[str], what: str) -> TensorGraph:
    """Return a copy of the graph without ZipMaps, text and unused parts.

    A ZipMap is replaced by its input, a tensor with a number for each class. Outputs that are
    text, sequences or maps are removed; what computes only them is removed too.

    Args:
        model: The graph.
        inner: Names of inner values that become outputs.
        what: The model, for messages.

    Raises:
        WrongUseError: BAD_ONNX if the opset is too old, an input is not a tensor of numbers, or no
            output is; UNKNOWN_OUTPUT for an unknown inner value.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    found = TensorGraph(copy)
    if 0 < default_opset(copy) < OLDEST_OPSET:
        raise bad_onnx(what, f"its opset {default_opset(copy)} is older than {OLDEST_OPSET}")
    if not default_opset(copy):  # a graph of ai.onnx.ml's operators alone
        copy.opset_import.append(helper.make_opsetid("", OLDEST_OPSET))
    order_nodes(copy.graph)
    _replace_zipmaps(found)
    _add_outputs(copy, inner)
    _drop_outputs(found, what)
    _remove_dead_nodes(copy.graph)
    found.notes.extend(
        f"input {name} is left out: no output depends on it"
        for name in remove_unused_inputs(copy.graph)
    )
    _check_inputs(found, what)
    return found


def _replace_zipmaps(found: TensorGraph) -> None:
    graph = found.model.graph
    outputs = {one.name: one for one in graph.output}
    for node in [one for one in graph.node if one.op_type == "ZipMap"]:
        if node.output[0] not in outputs:
            continue
        labels: list[str] = []
        for attribute in node.attribute:
            labels += [one.decode("utf-8", "replace") for one in attribute.strings]
            labels += [str(one) for one in attribute.ints]
        output = outputs[node.output[0]]
        found.labels[output.name] = tuple(labels)
        output.type.Clear()
        # The shape is found by running the graph. float32 is what ZipMap takes.
        output.type.tensor_type.elem_type = TensorProto.FLOAT
        at = list(graph.node).index(node)
        graph.node.remove(node)
        graph.node.insert(at, helper.make_node("Identity", [node.input[0]], [output.name]))


def _add_outputs(model: onnx.ModelProto, inner: Sequence[str]) -> None:
    graph = model.graph
    present = {one.name for one in graph.output}
    made = [name for node in graph.node for name in node.output if name]
    for name in inner:
        if name in present:
            continue
        if name not in made:
            close = difflib.get_close_matches(name, made, _NAMES_SHOWN) or made[-_NAMES_SHOWN:]
            raise WrongUseError(
                "UNKNOWN_OUTPUT",
                f"'{name}' is not a value of the graph. Known: {', '.join(close)}, and others of "
                f"its {len(made)} values.",
            )
        graph.output.append(_inferred(model, name))


def _inferred(model: onnx.ModelProto, name: str) -> onnx.ValueInfoProto:
    """Return the value with its inferred type, or without a type, which onnxruntime then infers."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        inferred = model.graph
    return next((one for one in inferred.value_info if one.name == name), _untyped(name))


def _untyped(name: str) -> onnx.ValueInfoProto:
    return onnx.ValueInfoProto(name=name)


def _drop_outputs(found: TensorGraph, what: str) -> None:
    """Remove outputs that are not tensors of a supported dtype."""
    graph = found.model.graph
    for output in list(graph.output):
        kind = output.type.WhichOneof("value")
        problem = ""
        if kind == "tensor_type" and output.type.tensor_type.elem_type:
            dtype = tensor_of(output).dtype
            problem = "" if dtype in DTYPES else "text" if dtype == "string" else dtype
        elif kind not in (None, "tensor_type"):
            problem = f"a {kind.removesuffix('_type')}"
        if problem:
            found.notes.append(f"output {output.name} is left out: it is {problem}, not numbers")
            graph.output.remove(output)
    if not graph.output:
        raise bad_onnx(what, f"it has no output of numbers ({'; '.join(found.notes) or 'none'})")


def _remove_dead_nodes(graph: onnx.GraphProto) -> None:
    """Remove the nodes that no output depends on."""
    needed = {one.name for one in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if any(name in needed for name in node.output):
            needed.update(names_read(node))
            kept.append(node)
    if len(kept) < len(graph.node):
        copies = [onnx.NodeProto.FromString(one.SerializeToString()) for one in reversed(kept)]
        del graph.node[:]
        graph.node.extend(copies)
        unused = [one for one in graph.initializer if one.name not in needed]
        for weight in unused:
            graph.initializer.remove(weight)


def _check_inputs(found: TensorGraph, what: str) -> None:
    weights = {one.name for one in found.model.graph.initializer}
    for value in found.model.graph.input:
        if value.name in weights:
            continue
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            named = "no type" if kind is None else f"a {kind.removesuffix('_type')}"
            raise bad_onnx(what, f"its input '{value.name}' is {named}, not a tensor")
        tensor = tensor_of(value)
        if tensor.dtype not in DTYPES:
            raise bad_onnx(
                what,
                f"its input '{tensor.name}' is {tensor.dtype}; possible are {', '.join(DTYPES)}",
            )
        if not value.type.tensor_type.HasField("shape"):
            raise bad_onnx(what, f"its input '{tensor.name}' has no shape, so its rank is unknown")
        if not tensor.shape:
            raise bad_onnx(
                what,
                f"its input '{tensor.name}' is one number for all rows, without a batch axis. "
                "Export the model with this value as a constant",
            )
    if not found.inputs:
        raise bad_onnx(what, "its outputs depend on no input")
