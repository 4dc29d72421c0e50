"""Reading an ONNX file that may be hostile, and facts about its graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]

from sightline.bundle.manifest import Tensor
from sightline.errors import WrongUseError

_LARGEST_BYTES = 2**31 - 1  # protobuf's own limit
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
_NUMPY_NAMES = {"float": "float32", "double": "float64"}  # the others are called as in numpy


def read_graph(path: Path) -> onnx.ModelProto:
    """Read and check an ONNX file whose weights are all inside it.

    Raises:
        WrongUseError: BAD_ONNX if it is a link, too large, not ONNX, or against ONNX's rules;
            ONNX_EXTERNAL_DATA if it names another file, which is never opened.
    """
    if path.is_symlink():
        raise bad_onnx(path, "it is a symbolic link; name the file itself")
    if not path.is_file():
        raise bad_onnx(path, "there is no such file")
    if path.stat().st_size > _LARGEST_BYTES:
        raise bad_onnx(path, "it is over 2 GiB")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise bad_onnx(path, f"it is not ONNX ({error})") from error
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            places = [entry.value for entry in tensor.external_data if entry.key == "location"]
            raise WrongUseError(
                "ONNX_EXTERNAL_DATA",
                f"'{path}' keeps the tensor '{tensor.name}' in another file "
                f"({', '.join(places) or 'unnamed'}), which was not opened. Save it with all "
                "weights inside: onnx.save(onnx.load(file), file2).",
            )
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, RuntimeError, ValueError) as error:
        raise bad_onnx(path, f"onnx refuses it: {' '.join(str(error).split())[:300]}") from error
    return model


def image_input(model: onnx.ModelProto, path: Path) -> onnx.ValueInfoProto:
    """The one input that is no initializer (files of old versions list those as inputs too)."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs) or "none"
        raise bad_onnx(path, f"it must have one input, the images; it has {len(inputs)}: {names}")
    found: onnx.ValueInfoProto = inputs[0]
    return found


def tensor_of(value: onnx.ValueInfoProto) -> Tensor:
    """Name, dtype and shape; a free axis is its name, or "?" if it has none."""
    kind = value.type.tensor_type
    axes = [axis.dim_value or axis.dim_param or "?" for axis in kind.shape.dim]
    dtype: str = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    return Tensor(value.name, _NUMPY_NAMES.get(dtype, dtype), tuple(axes))


def default_opset(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators."""
    return max(
        (one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0
    )


def count_parameters(model: onnx.ModelProto) -> int:
    """Floating-point weights: every stored tensor of more than one number."""
    sizes = (math.prod(one.dims) for one in _tensors(model) if one.data_type in _FLOATS)
    return sum(size for size in sizes if size > 1)


def strip_notes(model: onnx.ModelProto) -> None:
    """Remove what exporters note down for debugging: it names files of the machine they ran on."""
    for message in _messages(model):
        for note in ("doc_string", "metadata_props"):
            if note in message.DESCRIPTOR.fields_by_name:
                message.ClearField(note)


def bad_onnx(path: Path, problem: str) -> WrongUseError:
    """The error for an ONNX file that cannot be added."""
    return WrongUseError("BAD_ONNX", f"'{path}': {problem}.")


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor anywhere in the file: initializers, attributes, subgraphs, functions."""
    return (one for one in _messages(model) if isinstance(one, onnx.TensorProto))


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for kind, value in message.ListFields():
        if kind.type != kind.TYPE_MESSAGE:
            continue
        for child in value if kind.is_repeated else (value,):
            yield from _messages(child)
