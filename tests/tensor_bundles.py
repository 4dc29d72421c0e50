"""Bundles of two models of numbers, for the tests of SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sightline.bundle.golden import pack_golden
from sightline.bundle.manifest import Golden, Manifest, OnnxVariant
from sightline.bundle.signature import Classes, Input, Kind, Output, Signature
from sightline.bundle.tensor_spec import TensorSpec

SPECIES = ("setosa", "versicolor", "virginica")
MEANS = np.array(
    [[5.006, 3.428, 1.462, 0.246], [5.936, 2.77, 4.26, 1.326], [6.588, 2.974, 5.552, 2.026]],
    np.float32,
)
WORDS = np.array([[0, 0], [1, 0], [0, 1], [2, 2]], np.float32)


def write_iris(folder: Path) -> Path:
    """Write a model that names the species with the nearest mean.

    Its input is x, float32 (n, 4): sepal length and width, petal length and width, in cm.
    """
    weights, bias = 2 * MEANS.T, -(MEANS**2).sum(1)
    x = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 2.9, 5.6, 1.8]], np.float32)
    return _write(
        folder,
        [helper.make_node("Gemm", ["x", "weights", "bias"], ["scores"])],
        {"weights": weights, "bias": bias},
        Signature(
            (Input(TensorSpec("x", "float32", ("n", 4)), Kind("tensor")),),
            (Output(TensorSpec("scores", "float32", ("n", 3)), Classes("labels.txt", "softmax")),),
        ),
        {"x": x},
        {"scores": x @ weights + bias},
    )


def write_encoder(folder: Path) -> Path:
    """Write a model of texts: input_ids and attention_mask are int64 (n, tokens).

    Its outputs are hidden, float32 (n, tokens, 2), the row of `WORDS` for each id, and embedding,
    float32 (n, 2), the sum of the rows whose mask is 1.
    """
    ids, mask = (
        np.array([[1, 2, 3], [3, 1, 0]], np.int64),
        np.array([[1, 1, 1], [1, 1, 0]], np.int64),
    )
    tokens = ("n", "tokens")
    hidden = WORDS[ids]
    return _write(
        folder,
        [
            helper.make_node("Gather", ["words", "input_ids"], ["hidden"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["hidden", "column"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "first"], ["embedding"], keepdims=0),
        ],
        {"words": WORDS, "last": np.array([2], np.int64), "first": np.array([1], np.int64)},
        Signature(
            tuple(
                Input(TensorSpec(name, "int64", tokens), Kind("tensor"))
                for name in ("input_ids", "attention_mask")
            ),
            (
                Output(TensorSpec("hidden", "float32", (*tokens, 2)), Kind("tensor")),
                Output(TensorSpec("embedding", "float32", ("n", 2)), Kind("vector")),
            ),
        ),
        {"input_ids": ids, "attention_mask": mask},
        {"hidden": hidden, "embedding": (hidden * mask[:, :, None]).sum(1).astype(np.float32)},
    )


def _write(
    folder: Path,
    nodes: list[onnx.NodeProto],
    constants: Mapping[str, np.ndarray],
    signature: Signature,
    inputs: Mapping[str, np.ndarray],
    outputs: Mapping[str, np.ndarray],
) -> Path:
    def value(tensor: TensorSpec) -> onnx.ValueInfoProto:
        type_ = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
        return helper.make_tensor_value_info(tensor.name, type_, tensor.shape)

    graph = helper.make_graph(
        nodes,
        folder.name,
        [value(one.tensor) for one in signature.inputs],
        [value(one.tensor) for one in signature.outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    files = {
        "model.onnx": model.SerializeToString(),
        "golden.safetensors": pack_golden(inputs, outputs),
    }
    if signature.classes:
        files["labels.txt"] = "".join(f"{label}\n" for label in SPECIES).encode()
    manifest = Manifest(
        name=folder.name,
        description="For tests.",
        signature=signature,
        onnx=OnnxVariant("model.onnx", 18),
        pytorch=None,
        parameters=sum(array.size for array in constants.values()),
        golden=Golden("golden.safetensors", 2, 0.001, {"onnx": 0.0}),
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        licence="MIT",
        source="tests",
        created_by="tests",
    )
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "model.json").write_bytes(manifest.to_json())
    return folder
