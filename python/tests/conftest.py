"""Fixtures of all tests: images, and a model with obvious predictions."""

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import golden_images, pack_golden
from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.bundle.manifest import Golden, Manifest, OnnxVariant
from sightline.bundle.signature import Classes, Input, Kind, Output, Signature
from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.model import Model

LABELS = ("red", "green", "blue")
SIDE = 8
Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def colour_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose class is the strongest channel: logits are the channels' means / 25.5."""
    return write_colour_bundle(tmp_path_factory.mktemp("models") / "colour", divisor=25.5)


@pytest.fixture(scope="session")
def means_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose features are the means of the channels."""
    folder = tmp_path_factory.mktemp("models") / "means"
    return write_colour_bundle(folder, divisor=51.0, features=True)


@pytest.fixture(scope="session")
def nan_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose logits are NaN for a black image: 0 / 0."""
    return write_colour_bundle(tmp_path_factory.mktemp("models") / "broken", divisor=0.0)


@pytest.fixture(scope="session")
def colour_model(colour_bundle: Path) -> Model:
    return open_model(colour_bundle)


@pytest.fixture(scope="session")
def nan_model(nan_bundle: Path) -> Model:
    return open_model(nan_bundle)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """``encode("red")`` returns a PNG of that colour; format and size are optional."""

    def encoded(
        colour: str | tuple[int, ...],
        format_: str = "PNG",
        size: tuple[int, int] = (12, 10),
        mode: str = "RGB",
    ) -> bytes:
        buffer = io.BytesIO()
        Image.new(mode, size, colour).save(buffer, format_)
        return buffer.getvalue()

    return encoded


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real test data; without it the test is skipped."""
    repository = Path(__file__).parents[2]
    folder = Path(os.environ.get("SIGHTLINE_SHARED", repository.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared test data in {folder} (set SIGHTLINE_SHARED)")
    return folder / "data"


def open_model(path: Path) -> Model:
    bundle = Bundle.load(path)
    return Model(bundle, open_session(bundle, "onnx", Device("cpu"), threads=1))


def write_colour_bundle(folder: Path, divisor: float, *, features: bool = False) -> Path:
    """Write the bundle; with features its second output is each channel's mean, 0..255."""
    folder.mkdir(parents=True)
    images = golden_images(Size(SIDE, SIDE))
    with np.errstate(all="ignore"):
        means = images.astype(np.float32).mean(axis=(1, 2))
        logits = means / np.float32(divisor)
    golden = {"logits": np.nan_to_num(logits)} | ({"means": means} if features else {})
    shape = ("n", len(LABELS))
    classes = Classes("labels.txt", "softmax")
    outputs = [Output(TensorSpec("logits", "float32", shape), classes)]
    if features:
        outputs.append(Output(TensorSpec("means", "float32", shape), Kind("vector")))
    files = {
        "model.onnx": _graph(divisor, features=features),
        "labels.txt": "".join(f"{label}\n" for label in LABELS).encode(),
        "golden.safetensors": pack_golden({"images": images}, golden),
    }
    preprocessing = Preprocessing(
        "RGB", Resize("stretch", SIDE, SIDE, "bilinear"), None, (0, 0, 0), (1, 1, 1)
    )
    manifest = Manifest(
        name=folder.name,
        description="Names the strongest channel of an image.",
        signature=Signature(
            (Input(TensorSpec("images", "uint8", ("n", SIDE, SIDE, 3)), preprocessing),),
            tuple(outputs),
        ),
        onnx=OnnxVariant("model.onnx", 18),
        pytorch=None,
        parameters=0,
        golden=Golden("golden.safetensors", len(images), 0.001, {"onnx": 0.0}),
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        licence="MIT",
        source="tests",
        created_by="tests",
    )
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "model.json").write_bytes(manifest.to_json())
    return folder


def _graph(divisor: float, *, features: bool) -> bytes:
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
        helper.make_node("Div", ["means", "divisor"], ["logits"]),
    ]
    outputs = ["logits", *(["means"] if features else [])]
    graph = helper.make_graph(
        nodes,
        "colour",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", len(LABELS)])
            for name in outputs
        ],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("divisor", TensorProto.FLOAT, [], [divisor]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
