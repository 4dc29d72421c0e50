"""A small convolutional model whose classes are colours, and images of those colours with noise."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from sightline.bundle.bundle import Bundle

SIDE = 8


@pytest.fixture
def convolution(colour_bundle: Path, tmp_path: Path) -> Bundle:
    """The colour bundle as a 3 x 3 convolution and a product, which int8 can represent."""
    folder = tmp_path / "models" / "colour"
    folder.mkdir(parents=True)
    for file in colour_bundle.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    graph = _graph()
    (folder / "model.onnx").write_bytes(graph)
    manifest = Bundle.load(folder).manifest
    files = {**manifest.files, "model.onnx": hashlib.sha256(graph).hexdigest()}
    (folder / "model.json").write_bytes(replace(manifest, files=files).to_json())
    return Bundle.load(folder)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder for each colour, with ten noisy images."""
    random = np.random.default_rng(3)
    root = tmp_path / "photographs"
    for channel, colour in enumerate(("red", "green", "blue")):
        (root / colour).mkdir(parents=True)
        for at in range(10):
            pixels = random.integers(0, 120, (SIDE, SIDE, 3), np.uint8)
            pixels[..., channel] += 100
            Image.fromarray(pixels).save(root / colour / f"{at}.png")
    return root


def _graph() -> bytes:
    weight = np.zeros((3, 3, 3, 3), np.float32)
    weight[[0, 1, 2], [0, 1, 2]] = 1 / 9  # each channel's own mean
    constants = {
        "weight": weight,
        "bias": np.zeros(3, np.float32),
        "product": np.eye(3, dtype=np.float32) * 10,
        "offset": np.zeros(3, np.float32),
        "scale": np.float32(1 / 255),
        "axes": np.array([2, 3], np.int64),
    }
    nodes = [
        helper.make_node("Transpose", ["images"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["first"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels", "scale"], ["unit"]),
        helper.make_node("Conv", ["unit", "weight", "bias"], ["summed"]),
        helper.make_node("Relu", ["summed"], ["positive"]),
        helper.make_node("ReduceMean", ["positive", "axes"], ["means"], keepdims=0),
        helper.make_node("Gemm", ["means", "product", "offset"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colour",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
