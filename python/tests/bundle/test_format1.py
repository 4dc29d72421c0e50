"""A bundle from an earlier version: model.json of format 1, golden batch with `images`."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle
from sightline.bundle.golden import read_golden
from sightline.bundle.image_settings import Preprocessing, Resize
from sightline.bundle.manifest import Manifest
from sightline.bundle.signature import Classes, Input, Kind, Output, Signature
from sightline.bundle.tensor_spec import TensorSpec
from sightline.bundle.verify import verify_bundle
from sightline.engine.model import Model
from sightline.engine.result_type import TopK, Vector
from sightline.engine.run import run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError

FOLDER = Path(__file__).parent / "format1"
SHA256 = "1e8866139992761af74572ceb836ccaa92fa7199fc08aca2ddfa45a6555d3152"


@pytest.fixture
def bundle() -> Bundle:
    return Bundle.load(FOLDER)


def test_the_identity_of_a_bundle_is_the_hash_of_its_file(bundle: Bundle) -> None:
    assert bundle.sha256 == SHA256
    assert hashlib.sha256(bundle.text).hexdigest() == SHA256


def test_format_1_has_an_image_feed_a_classes_head_and_a_vector_head(bundle: Bundle) -> None:
    resize = Resize("stretch", 8, 8, "bilinear")
    preprocessing = Preprocessing("RGB", resize, None, (0, 0, 0), (1, 1, 1))
    assert bundle.manifest.signature == Signature(
        (Input(TensorSpec("images", "uint8", ("n", 8, 8, 3)), preprocessing),),
        (
            Output(TensorSpec("logits", "float32", ("n", 3)), Classes("labels.txt", "softmax")),
            Output(TensorSpec("means", "float32", ("n", 3)), Kind("vector")),
        ),
    )
    assert "logits: float32 (n, 3), classes" in describe_bundle(bundle)


def test_it_is_verified_with_its_golden_batch(bundle: Bundle) -> None:
    inputs, outputs = read_golden(bundle)
    assert {name: value.shape for name, value in inputs.items()} == {"images": (4, 8, 8, 3)}
    assert sorted(outputs) == ["logits", "means"]
    checks = {check.subject: check.outcome for check in verify_bundle(bundle)}
    assert set(checks.values()) == {"ok"}
    assert "onnx variant" in checks


def test_it_predicts(bundle: Bundle, encode: object) -> None:
    assert callable(encode)
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    images = [pa.array([encode("red"), encode((10, 20, 30))], pa.binary())]
    (found,) = run_scalar(images, model, EngineSettings(), TopK(1))
    assert [row.as_py()["label"] for row in found] == ["red", "blue"]
    (found,) = run_scalar(images, model, EngineSettings(), Vector())
    assert found[1].as_py()["features"] == [10, 20, 30]


def test_it_is_written_as_format_2_with_the_same_meaning(bundle: Bundle, tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "copy")
    text = bundle.manifest.to_json()
    (copy / "model.json").write_bytes(text)
    written = Bundle.load(copy)
    assert json.loads(text)["format"] == 2
    assert written.manifest == bundle.manifest
    assert written.sha256 != SHA256
    assert {check.outcome for check in verify_bundle(written)} == {"ok"}
    assert np.array_equal(read_golden(written)[0]["images"], read_golden(bundle)[0]["images"])


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("task", "poetry", "'task' must be one of classification"),
        ("classes", 0, "'classes' must be an integer from 1"),
        ("classes", True, "'classes' must be an integer"),
        ("classes", 4, "'outputs' must contain one float32 tensor of scores [n, 4]"),
        ("classes", int("9" * 400), "'classes' must be an integer from 1 to 10000000, found 999"),
        ("labels", "../../etc/passwd", "'labels' must be a plain file name"),
        ("labels", "other.txt", "'files.other.txt' is missing"),
        ("activation", "relu", "'activation' must be one of softmax, sigmoid, none"),
        ("preprocessing", [], "'preprocessing' must be an object, found a list"),
        ("preprocessing", {}, "'preprocessing.resize' is missing"),
        ("inputs", [{}], "'inputs[0].name' is missing"),
        ("inputs", [], "'inputs' must be one uint8 tensor of shape [n, 8, 8, 3]"),
        ("outputs", [], "'outputs' must contain one float32 tensor of scores [n, 3]"),
    ],
)
def test_a_wrong_field_is_named(bundle: Bundle, field: str, value: object, named: str) -> None:
    tree = json.loads(bundle.text) | {field: value}
    with pytest.raises(WrongUseError, match=r"^INVALID_BUNDLE: here/model\.json: ") as error:
        Manifest.from_json(json.dumps(tree).encode(), "here/model.json")
    assert named in str(error.value)


@pytest.mark.parametrize("shape", [["n"], ["n", "k"], [4, 8]])
def test_features_have_one_length(bundle: Bundle, shape: list[object]) -> None:
    tree = json.loads(bundle.text)
    tree["outputs"][1]["shape"] = shape
    with pytest.raises(WrongUseError, match=r"must contain features of shape \[n, length\]: means"):
        Manifest.from_json(json.dumps(tree).encode())


def test_a_tensor_with_a_second_free_axis_is_left_out(bundle: Bundle) -> None:
    tree = json.loads(bundle.text)
    tree["outputs"][1] |= {"role": "tensor", "shape": ["n", "k"]}
    manifest = Manifest.from_json(json.dumps(tree).encode())
    assert [one.name for one in manifest.signature.outputs] == ["logits"]
    assert replace(manifest, name="x").signature.vector is None
