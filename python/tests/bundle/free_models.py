"""Small models with free axes and unusual dtypes as bundles, and onnxruntime's own results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sightline.backends.backend import Array
from sightline.bundle.golden import pack_golden

from .tensor_model import write_bundle

WORDS = 50
EMBEDDING = np.random.default_rng(3).normal(size=(WORDS, 4)).astype(np.float32)
KERNEL = np.random.default_rng(4).normal(size=(1, 3, 3, 3)).astype(np.float32)
_TENSOR, _VECTOR = {"kind": "tensor"}, {"kind": "vector"}


def write_tokens(folder: Path) -> Path:
    """Write a text model: the masked embeddings of tokens, their mean, and a free axis twice.

    An id outside 0..49 makes onnxruntime fail. Outputs: `hidden` (n, tokens, 4), `mean` (n, 4),
    `pairs` (n, tokens, tokens).
    """
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["words", "column"], ["hidden"]),
        helper.make_node("ReduceMean", ["hidden", "one"], ["mean"], keepdims=0),
        helper.make_node("Transpose", ["hidden"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["hidden", "turned"], ["pairs"]),
    ]
    ids = np.array([[1, 2, 3], [4, 5, 49], [0, 0, 7]], np.int64)
    return _write(
        folder,
        nodes,
        {"embedding": EMBEDDING, "last": np.array([2]), "one": np.array([1])},
        inputs=[
            _input("input_ids", "int64", "n", "tokens"),
            _input("attention_mask", "int64", "n", "tokens"),
        ],
        outputs=[
            _output("hidden", "float32", "n", "tokens", 4),
            _output("mean", "float32", "n", 4, head=_VECTOR),
            _output("pairs", "float32", "n", "tokens", "tokens"),
        ],
        golden={"input_ids": ids, "attention_mask": np.ones_like(ids)},
    )


def write_heat(folder: Path) -> Path:
    """Write an image-to-image model of any size: `heat` (n, 1, height, width), `flat` (n, pixels).

    Its convolution without padding, `small`, makes onnxruntime fail below 3 x 3.
    """
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["heat"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["x", "kernel"], ["small"]),
        helper.make_node("Flatten", ["small"], ["flat"], axis=1),
    ]
    x = np.random.default_rng(5).normal(size=(2, 3, 5, 6)).astype(np.float32)
    return _write(
        folder,
        nodes,
        {"kernel": KERNEL},
        inputs=[_input("x", "float32", "n", 3, "height", "width")],
        outputs=[
            _output("heat", "float32", "n", 1, "height", "width"),
            _output("flat", "float32", "n", "pixels"),
        ],
        golden={"x": x},
    )


def write_sum(folder: Path) -> Path:
    """Write a model that adds the numbers of a row of any length: `y` (n,)."""
    node = helper.make_node("ReduceSum", ["x", "one"], ["y"], keepdims=0)
    return _write(
        folder,
        [node],
        {"one": np.array([1])},
        inputs=[_input("x", "float32", "n", "k")],
        outputs=[_output("y", "float32", "n")],
        golden={"x": np.arange(6, dtype=np.float32).reshape(2, 3)},
    )


def write_single(folder: Path) -> Path:
    """Write a model whose graph runs one row only: y = 2 x + 1, (n, 3)."""
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["twice"]),
        helper.make_node("Add", ["twice", "one"], ["y"]),
    ]
    return _write(
        folder,
        nodes,
        {"two": np.float32(2), "one": np.float32(1)},
        inputs=[_input("x", "float32", "n", 3)],
        outputs=[_output("y", "float32", "n", 3, head=_VECTOR)],
        golden={"x": np.arange(6, dtype=np.float32).reshape(2, 3)},
        most_rows=1,
    )


def write_same(folder: Path, dtype: str, *axes: int | str, head: str = "tensor") -> Path:
    """Write a model that returns its input x as y. Booleans are inverted."""
    node = helper.make_node("Not" if dtype == "bool" else "Identity", ["x"], ["y"])
    shape = [2, *(3 if isinstance(axis, str) else axis for axis in axes)]
    return _write(
        folder,
        [node],
        {},
        inputs=[_input("x", dtype, "n", *axes)],
        outputs=[_output("y", dtype, "n", *axes, head={"kind": head})],
        golden={"x": np.arange(np.prod(shape)).reshape(shape).astype(dtype)},
    )


def run_alone(folder: Path, output: str, **row: object) -> Any:  # noqa: ANN401 - of the output
    """Compute one output of one row by onnxruntime itself."""
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    dtypes = {one.name: one.type for one in session.get_inputs()}
    numpy_names = {"tensor(float)": "float32", "tensor(int64)": "int64"}
    feeds = {name: np.array([value], numpy_names[dtypes[name]]) for name, value in row.items()}
    return np.asarray(session.run([output], feeds)[0])[0]


def _input(name: str, dtype: str, *shape: int | str) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": list(shape), "feed": _TENSOR}


def _output(
    name: str, dtype: str, *shape: int | str, head: Mapping[str, str] = _TENSOR
) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": list(shape), "head": dict(head)}


def _write(
    folder: Path,
    nodes: Sequence[NodeProto],
    constants: Mapping[str, Any],
    inputs: list[dict[str, Any]],
    outputs: list[dict[str, Any]],
    golden: Mapping[str, Array],
    most_rows: int | None = None,
) -> Path:
    graph = helper.make_graph(
        nodes,
        folder.name,
        [_info(one, most_rows) for one in inputs],
        [_info(one, most_rows) for one in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content)
    rows = len(next(iter(golden.values())))
    names = [one["name"] for one in outputs]
    step = most_rows or rows
    parts = [
        session.run(names, {name: value[at : at + step] for name, value in golden.items()})
        for at in range(0, rows, step)
    ]
    expected = {name: np.concatenate([part[at] for part in parts]) for at, name in enumerate(names)}
    more = {"most_rows": most_rows} if most_rows else {}
    packed = pack_golden(golden, expected)
    return write_bundle(folder, content, packed, rows, inputs, outputs, **more)


def _info(tensor: Mapping[str, Any], most_rows: int | None) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(tensor["dtype"]))
    batch = most_rows or tensor["shape"][0]
    return helper.make_tensor_value_info(tensor["name"], kind, [batch, *tensor["shape"][1:]])
