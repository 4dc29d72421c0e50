"""The ONNX files of a bundle: the file for a precision, and the check for external weights."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.errors import WrongUseError

# From onnx.proto: for each type, the fields whose messages may contain tensors.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 64


def graph_file(bundle: Bundle, precision: Precision) -> str:
    """Return the file's name. int8 has a separate file; the other precisions share one.

    Raises:
        WrongUseError: NO_VARIANT without an ONNX graph, NOT_CALIBRATED without an int8 graph.
    """
    manifest = bundle.manifest
    if manifest.onnx is None:
        raise WrongUseError("NO_VARIANT", f"model {bundle.name} has no onnx variant.")
    if precision != "int8":
        return manifest.onnx.file
    if manifest.onnx_int8 is None:
        raise WrongUseError(
            "NOT_CALIBRATED",
            f"model {bundle.name} has no int8 graph. Make one: sightline models calibrate "
            f"{bundle.name} --images PHOTOGRAPHS --precision int8 --overwrite.",
        )
    return manifest.onnx_int8.file


def has_external_data(model: bytes) -> bool:
    """Whether any tensor, at any depth, stores its values in another file.

    The function does not need the package onnx, because workers may not have it.

    Args:
        model: A serialized ModelProto.

    Raises:
        ValueError: If it is not a ModelProto, or is nested deeper than 64 levels.
    """
    return _search(memoryview(model), "model", 0)


def _search(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    for field, value in _fields(message):
        if kind == "tensor" and (field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value)):
            return True
        child = _CHILDREN[kind].get(field)
        if child is not None and isinstance(value, memoryview) and _search(value, child, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield the numbers and values of a message's fields, without copying the weights."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            number, at = _varint(message, at)
            yield field, number
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("it is not ONNX")
        if at + length > len(message):
            raise ValueError("it is cut off")
        yield field, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("it is cut off")
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("it is not ONNX")
