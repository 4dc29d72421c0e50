"""A tiny model of numbers, without images and classes, as a bundle of format 2."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sightline.backends.backend import Array
from sightline.bundle.golden import pack_golden

WEIGHT = np.array([[1, 0], [0, 1], [1, 1], [0, 2]], np.float32)  # (4, 2)
IMAGE_FEED: dict[str, Any] = {
    "kind": "image",
    "color": "RGB",
    "resize": {"mode": "stretch", "height": 8, "width": 8, "interpolation": "bilinear"},
    "crop": None,
    "mean": [0, 0, 0],
    "std": [1, 1, 1],
}


def write_tensor_bundle(folder: Path) -> Path:
    """Write a bundle with the input x, float32 (n, 4), and three outputs.

    `doubled` is 2 x, (n, 2, 2) with a tensor head; `sums` the int64 sum of a row, (n,); `pooled`
    is x @ WEIGHT, (n, 2) with a vector head.
    """
    x = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)
    tensor, vector = {"kind": "tensor"}, {"kind": "vector"}
    return write_bundle(
        folder,
        _graph(),
        pack_golden({"x": x}, expected(x)),
        rows=6,
        inputs=[{"name": "x", "dtype": "float32", "shape": ["n", 4], "feed": tensor}],
        outputs=[
            {"name": "doubled", "dtype": "float32", "shape": ["n", 2, 2], "head": tensor},
            {"name": "sums", "dtype": "int64", "shape": ["n"], "head": tensor},
            {"name": "pooled", "dtype": "float32", "shape": ["n", 2], "head": vector},
        ],
    )


def write_bundle(
    folder: Path,
    graph: bytes,
    golden: bytes,
    rows: int,
    inputs: list[dict[str, Any]],
    outputs: list[dict[str, Any]],
    **more: object,
) -> Path:
    """Write a bundle of format 2 by hand.

    Args:
        folder: Made; its name is the model's.
        graph: A serialized ONNX model.
        golden: From `pack_golden`.
        rows: Of the golden batch.
        inputs: As in model.json.
        outputs: As in model.json.
        more: Other fields of model.json.
    """
    folder.mkdir(parents=True)
    contents = {"model.onnx": graph, "golden.safetensors": golden}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    tree = {
        "format": 2,
        "name": folder.name,
        "description": "A model of the tests.",
        "inputs": inputs,
        "outputs": outputs,
        "variants": {"onnx": {"file": "model.onnx", "opset": 18}},
        "parameters": 8,
        "golden": {
            "file": "golden.safetensors",
            "rows": rows,
            "tolerance": 0.001,
            "max_abs_delta": {"onnx": 0.0},
        },
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        "licence": "MIT",
        "source": "tests",
        "created_by": "tests",
        **more,
    }
    (folder / "model.json").write_text(json.dumps(tree, indent=2), "utf-8")
    return folder


def expected(x: Array) -> dict[str, Array]:
    """Compute the model's output for x, (n, 4) float32."""
    return {
        "doubled": (2 * x).reshape(-1, 2, 2),
        "sums": np.trunc(x.sum(axis=1)).astype(np.int64),
        "pooled": x @ WEIGHT,
    }


def _graph() -> bytes:
    nodes = [
        helper.make_node("Add", ["x", "x"], ["twice"]),
        helper.make_node("Reshape", ["twice", "shape"], ["doubled"]),
        helper.make_node("ReduceSum", ["x", "axes"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["sums"], to=TensorProto.INT64),
        helper.make_node("MatMul", ["x", "weight"], ["pooled"]),
    ]
    graph = helper.make_graph(
        nodes,
        "numbers",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [
            helper.make_tensor_value_info("doubled", TensorProto.FLOAT, ["n", 2, 2]),
            helper.make_tensor_value_info("sums", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["n", 2]),
        ],
        [
            helper.make_tensor("shape", TensorProto.INT64, [3], [-1, 2, 2]),
            helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
            helper.make_tensor("weight", TensorProto.FLOAT, [4, 2], WEIGHT.ravel()),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
