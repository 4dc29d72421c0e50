"""Reads ONNX files, which may be malicious, and properties of their graphs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]

from sightline.bundle.external_weights import LARGEST_BYTES, embed_weights
from sightline.bundle.node_order import names_read, order_nodes
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError

_RANK_OF_IMAGES = 4
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
_NUMPY_NAMES = {"float": "float32", "double": "float64"}  # the others are called as in numpy


def read_graph(path: Path) -> onnx.ModelProto:
    """Read an ONNX file with `load_graph`, and remove the inputs that no node reads.

    Raises:
        WrongUseError: See `load_graph`.
    """
    model = load_graph(path)
    remove_unused_inputs(model.graph)
    return model


def load_graph(path: Path) -> onnx.ModelProto:
    """Read an ONNX file, including weights in a file beside it, and sort its nodes.

    The runtime checks whether the graph is valid.

    Raises:
        WrongUseError: BAD_ONNX if the path is a link, or the file is too large or not ONNX;
            ONNX_EXTERNAL_DATA if it names a file in another folder, which is never opened.
    """
    if path.is_symlink():
        raise bad_onnx(path, "it is a symbolic link; give the file itself")
    if not path.is_file():
        raise bad_onnx(path, "the file does not exist")
    if path.stat().st_size > LARGEST_BYTES:
        raise bad_onnx(path, "it is larger than 2 GiB")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise bad_onnx(path, f"it is not ONNX ({error})") from error
    embed_weights(_tensors(model), path)
    order_nodes(model.graph)
    return model


def remove_unused_inputs(graph: onnx.GraphProto) -> list[str]:
    """Remove the inputs that no node reads and that are not outputs; return their names."""
    read = {name for node in graph.node for name in names_read(node)}
    read |= {one.name for one in graph.output}
    unused = [one for one in graph.input if one.name not in read]
    for one in unused:
        graph.input.remove(one)
    return [one.name for one in unused]


def drop_other_outputs(graph: onnx.GraphProto) -> None:
    """Remove the outputs that are not tensors, such as a ZipMap's, but not the last output."""
    for other in [one for one in graph.output if not one.type.HasField("tensor_type")]:
        if len(graph.output) > 1:
            graph.output.remove(other)


def image_input(model: onnx.ModelProto, path: Path) -> onnx.ValueInfoProto:
    """Return the only input that is not an initializer; old versions list initializers as inputs.

    Raises:
        WrongUseError: BAD_ONNX if the graph reads no input or several inputs.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs) or "none"
        raise bad_onnx(
            path,
            f"its only input must be images, but it reads {len(inputs)} inputs: {names}. Export it "
            "with one input, and the others as constants",
        )
    found: onnx.ValueInfoProto = inputs[0]
    return found


def may_take_image(path: Path) -> bool:
    """Whether the only input of an ONNX file has the rank of a batch of images, or no shape.

    Raises:
        WrongUseError: An error of `read_graph`.
    """
    model = read_graph(path)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [one.type.tensor_type for one in model.graph.input if one.name not in weights]
    return len(inputs) == 1 and (
        not inputs[0].HasField("shape") or len(inputs[0].shape.dim) == _RANK_OF_IMAGES
    )


def takes_pixels(path: Path) -> bool:
    """Whether the image input of an ONNX file is uint8, so that the graph normalises by itself.

    Raises:
        WrongUseError: An error of `read_graph` or `image_input`.
    """
    return tensor_of(image_input(read_graph(path), path)).dtype == "uint8"


def tensor_of(value: onnx.ValueInfoProto) -> TensorSpec:
    """Return name, dtype and shape. A free axis is its name, or "?" if it has none."""
    kind = value.type.tensor_type
    # Some exporters write -1 for a free axis.
    axes = [max(axis.dim_value, 0) or axis.dim_param or "?" for axis in kind.shape.dim]
    dtype: str = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    return TensorSpec(value.name, _NUMPY_NAMES.get(dtype, dtype), tuple(axes))


def default_opset(model: onnx.ModelProto) -> int:
    """Return the version of ONNX's own operators."""
    return max(
        (one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0
    )


def reduces_precision(model: onnx.ModelProto) -> bool:
    """Whether the model computes in half precision: float16 or bfloat16 weights or input."""
    halves = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    kinds = {one.data_type for one in _tensors(model)}
    kinds |= {one.type.tensor_type.elem_type for one in model.graph.input}
    return any(one in kinds for one in halves)


def count_parameters(model: onnx.ModelProto) -> int:
    """Return the number of floating-point weights: all stored tensors of more than one number."""
    sizes = (math.prod(one.dims) for one in _tensors(model) if one.data_type in _FLOATS)
    return sum(size for size in sizes if size > 1)


def strip_notes(model: onnx.ModelProto) -> None:
    """Remove the exporter's debug information, which contains file names of its machine."""
    for message in _messages(model):
        for note in ("doc_string", "metadata_props"):
            if note in message.DESCRIPTOR.fields_by_name:
                message.ClearField(note)


def bad_onnx(path: Path | str, problem: str) -> WrongUseError:
    """Return the error for an ONNX file, or a graph with another name, that cannot be added."""
    return WrongUseError("BAD_ONNX", f"'{path}': {problem}.")


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor in the file: in initializers, attributes, subgraphs and functions."""
    return (one for one in _messages(model) if isinstance(one, onnx.TensorProto))


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for kind, value in message.ListFields():
        if kind.type != kind.TYPE_MESSAGE:
            continue
        for child in value if kind.is_repeated else (value,):
            yield from _messages(child)
