"""ONNX files made for tests: a linear classifier of the mean pixel, in any layout and dtype."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEIGHT, WIDTH, CLASSES = 16, 12, 3
_KINDS = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8,
}


def linear(
    path: Path,
    layout: str = "NCHW",
    dtype: str = "float32",
    batch: int | str = "n",
    name: str = "input",
    reshape: str = "",
    ending: str = "",
) -> Path:
    """Write a graph: mean over the pixels → (n, 3) → MatMul → (n, 3).

    Args:
        path: Where to.
        layout: NCHW or NHWC.
        dtype: Of the input.
        batch: The first axis.
        name: Of the input.
        reshape: "free": by (1, -1), which can be freed; "sealed": through (3,) and back.
        ending: "Softmax", or nothing.
    """
    lengths = [3, HEIGHT, WIDTH] if layout == "NCHW" else [HEIGHT, WIDTH, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    real = "float32" if dtype == "uint8" else dtype
    weight = np.random.default_rng(1).normal(size=(3, CLASSES)).astype(real)
    nodes, value = [], name
    if dtype == "uint8":
        nodes.append(helper.make_node("Cast", [value], ["real"], to=TensorProto.FLOAT))
        value = "real"
    nodes.append(helper.make_node("ReduceMean", [value, "axes"], ["means"], keepdims=0))
    value = "means"  # (n, 3)
    constants = [numpy_helper.from_array(np.array(axes, np.int64), "axes")]
    shapes = {"free": [[1, -1]], "sealed": [[3], [1, 3]]}.get(reshape, [])
    for at, shape in enumerate(shapes):
        constants.append(numpy_helper.from_array(np.array(shape, np.int64), f"shape{at}"))
        nodes.append(helper.make_node("Reshape", [value, f"shape{at}"], [f"shaped{at}"]))
        value = f"shaped{at}"
    nodes.append(helper.make_node("MatMul", [value, "weight"], ["product"]))
    constants.append(numpy_helper.from_array(weight, "weight"))
    nodes.append(helper.make_node(ending or "Identity", ["product"], ["answer"]))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(name, _KINDS[dtype], [batch, *lengths])],
        [helper.make_tensor_value_info("answer", _KINDS[real], [batch, CLASSES])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def by_hand(
    images: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...], dtype: str = "float32"
) -> np.ndarray:
    """The output of `linear` for (n, height, width, 3) uint8, in float64: (n, 3)."""
    weight = np.random.default_rng(1).normal(size=(3, CLASSES)).astype(dtype)
    pixels = (images / 255 - np.asarray(mean)) / np.asarray(std)
    logits: np.ndarray = pixels.mean(axis=(1, 2)) @ weight.astype(np.float64)
    return logits
