"""Weights that an exporter wrote into a file beside the ONNX file, put into the graph."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path

import onnx

from sightline.errors import WrongUseError

LARGEST_BYTES = 2**31 - 1  # protobuf's own limit for one graph
_PLAIN_NAME = re.compile(r"[^/\\\x00]+")


def embed_weights(tensors: Iterable[onnx.TensorProto], path: Path) -> None:
    """Read every tensor that is kept in another file, which must lie beside `path`.

    `torch.onnx.export` writes such a file by default: `model.onnx.data` for `model.onnx`. The
    location comes from the ONNX file, so only a plain name in the same folder is opened: no path,
    no link.

    Args:
        tensors: All tensors of the model; those with external data are changed in place.
        path: The ONNX file.

    Raises:
        WrongUseError: ONNX_EXTERNAL_DATA, naming the tensor and the file.
    """
    total = 0
    for tensor in tensors:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and not tensor.external_data:
            continue
        keys = {entry.key: entry.value for entry in tensor.external_data}
        file = _file(tensor, keys.get("location", ""), path)
        offset = _number(tensor, keys, "offset", 0, path)
        length = _number(tensor, keys, "length", _bytes_of(tensor, path), path)
        total += length
        if total > LARGEST_BYTES:
            raise _refused(path, tensor, "the weights are over 2 GiB together")
        with file.open("rb") as stream:
            stream.seek(offset)
            content = stream.read(length)
        if len(content) < length:
            raise _refused(
                path, tensor, f"'{file}' ends before byte {offset + length}: it is another file"
            )
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT
        tensor.raw_data = content


def _file(tensor: onnx.TensorProto, location: str, path: Path) -> Path:
    if not _PLAIN_NAME.fullmatch(location) or location in (".", ".."):
        raise _refused(
            path,
            tensor,
            f"the file '{location}' was not opened, because only a file in the same folder is",
        )
    file = path.parent / location
    if file.is_symlink() or not file.is_file():
        raise _refused(path, tensor, f"there is no plain file '{location}' in the same folder")
    return file


def _number(
    tensor: onnx.TensorProto, keys: dict[str, str], key: str, absent: int, path: Path
) -> int:
    text = keys.get(key, str(absent))
    if not text.isdecimal() or int(text[:20]) > LARGEST_BYTES:
        raise _refused(path, tensor, f"its {key} is '{text[:20]}'")
    return int(text)


def _bytes_of(tensor: onnx.TensorProto, path: Path) -> int:
    try:
        item: int = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, ValueError) as error:
        raise _refused(path, tensor, f"its type is unknown ({tensor.data_type})") from error
    return item * math.prod(int(one) for one in tensor.dims)


def _refused(path: Path, tensor: onnx.TensorProto, why: str) -> WrongUseError:
    return WrongUseError(
        "ONNX_EXTERNAL_DATA",
        f"'{path}' keeps the tensor '{tensor.name}' in another file: {why}. Save it with all "
        "weights inside: onnx.save(onnx.load(FILE), FILE2).",
    )
