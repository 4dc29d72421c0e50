import json
from dataclasses import replace
from pathlib import Path

import pytest

from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Calibration
from sightline.bundle.describe import describe_bundle
from sightline.bundle.manifest import Manifest
from sightline.errors import WrongUseError

BF16 = Calibration("openvino", "bf16", 500, 0.99, 0.856, 0.858, "imagenet/labels.csv")
INT8 = Calibration("onnx", "int8", 500, 0.986, None, None, "flowers/dev")


@pytest.fixture
def bundle(colour_bundle: Path) -> Bundle:
    loaded = Bundle.load(colour_bundle)
    return replace(loaded, manifest=replace(loaded.manifest, calibration=(BF16, INT8)))


def test_calibrated_modes_survive_a_round_trip(bundle: Bundle) -> None:
    read = Manifest.from_json(bundle.manifest.to_json())

    assert read.calibration == (BF16, INT8)
    assert read.calibration_of("openvino", "bf16") == BF16
    assert read.calibration_of("openvino", "int8") is None


def test_a_bundle_without_calibration_has_no_field_for_it() -> None:
    text = (Path(__file__).parents[3] / "models" / "id_fraud" / "model.json").read_bytes()

    written = Manifest.from_json(text).to_json()
    assert b"calibration" not in written
    assert Manifest.from_json(written).to_json() == written


def test_describe_lists_the_calibrated_modes(bundle: Bundle) -> None:
    lines = [one for one in describe_bundle(bundle).splitlines() if one.startswith("calibration")]

    assert lines == [
        "calibration    openvino bf16: agrees 99.00%, top-1 85.60% (fp32 85.80%) on 500 x "
        "imagenet/labels.csv",
        "calibration    onnx int8: agrees 98.60% on 500 x flowers/dev",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"agreement": 1.5}, r"'calibration\[0\]\.agreement' must be within 0\.\.1, found 1\.5"),
        ({"precision": "fp8"}, r"'calibration\[0\]\.precision' must be one of fp32, bf16, int8"),
        ({"rows": 0}, r"'calibration\[0\]\.rows' must be an integer from 1"),
        ({"backend": "onnx", "precision": "int8"}, "must have one entry for"),
    ],
)
def test_a_calibration_with_an_invalid_field_is_refused(
    bundle: Bundle, change: dict[str, object], problem: str
) -> None:
    tree = json.loads(bundle.manifest.to_json())
    tree["calibration"][0].update(change)

    with pytest.raises(WrongUseError, match=f"INVALID_BUNDLE: .*{problem}"):
        Manifest.from_json(json.dumps(tree).encode())


@pytest.mark.parametrize(
    ("decoders", "kept"),
    [
        (["pillow"], ["openvino bf16"]),
        (["pillow", "turbo", "scaled"], ["openvino bf16"]),
        (["scaled"], []),
    ],
)
def test_an_older_bundle_was_calibrated_for_each_decoder(
    bundle: Bundle, decoders: list[str], kept: list[str]
) -> None:
    tree = json.loads(bundle.manifest.to_json())
    entry = tree["calibration"][0]
    tree["calibration"] = [{**entry, "decoder": decoder} for decoder in decoders]
    read = Manifest.from_json(json.dumps(tree).encode())
    assert [one.mode for one in read.calibration] == kept
    assert (read.calibration_of("openvino", "bf16") == BF16) == bool(kept)
    tree["calibration"][0]["decoder"] = "gpu"
    with pytest.raises(WrongUseError, match=r"'calibration\[0\]\.decoder' must be one of pillow"):
        Manifest.from_json(json.dumps(tree).encode())


def test_an_int8_graph_needs_its_hash_and_the_graph_it_is_made_from(bundle: Bundle) -> None:
    tree = json.loads(bundle.manifest.to_json())
    tree["variants"]["onnx_int8"] = {"file": "model.int8.onnx", "opset": 18}

    with pytest.raises(WrongUseError, match=r"'files\.model\.int8\.onnx' is missing"):
        Manifest.from_json(json.dumps(tree).encode())
