"""Copies weights from a file beside the ONNX file into the graph."""

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
    """Read every tensor that is stored in another file in the folder of `path`.

    `torch.onnx.export` writes such a file by default: `model.onnx.data` for `model.onnx`. The ONNX
    file names it, so only a plain file name in the same folder is accepted: no path, no link.

    Args:
        tensors: All tensors of the model. Tensors with external data are changed in place.
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
            raise _refused(path, tensor, "all weights together exceed 2 GiB")
        with file.open("rb") as stream:
            stream.seek(offset)
            content = stream.read(length)
        if len(content) < length:
            raise _refused(
                path,
                tensor,
                f"'{file}' ends before byte {offset + length}, so it does not belong to the graph",
            )
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT
        tensor.raw_data = content


def _file(tensor: onnx.TensorProto, location: str, path: Path) -> Path:
    if not _PLAIN_NAME.fullmatch(location) or location in (".", ".."):
        raise _refused(
            path,
            tensor,
            f"'{location}' is not a plain name of a file in the same folder, so it was not opened",
        )
    file = path.parent / location
    if file.is_symlink() or not file.is_file():
        raise _refused(path, tensor, f"the same folder has no plain file '{location}'")
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
