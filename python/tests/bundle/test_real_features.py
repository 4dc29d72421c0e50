"""MobileNetV2, added as in the notebook: its features are equal to those of torch."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2

from sightline.backends.backend import Float32Array
from sightline.backends.device import Device
from sightline.backends.registry import find_backend
from sightline.bundle.bundle import Bundle
from sightline.cli.main import main
from sightline.engine.feeds.preprocess import preprocess
from sightline.engine.picture import Picture

WEIGHTS = "weights/mobilenet_v2_1.0_224.torchvision.safetensors"
ADD = "models add mobilenet_v2 --architecture torchvision:mobilenet_v2"
OPTIONS = "--resize 256 --crop 224 --mean 0.5 --std 0.5"


@pytest.fixture(scope="module")
def mobilenet(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    root = tmp_path_factory.mktemp("models")
    place = ["--weights", str(shared / WEIGHTS), "--models", str(root)]
    assert main([*ADD.split(), *OPTIONS.split(), *place]) == 0
    return Bundle.load(root / "mobilenet_v2")


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[Image.Image]:
    paths = sorted((shared / "flowers/dev/test").rglob("*.jpg"))[::5]
    assert len(paths) == 20
    return [Image.open(path).convert("RGB") for path in paths]


@pytest.fixture(scope="module")
def by_hand(shared: Path, photographs: list[Image.Image]) -> Float32Array:
    """The pooled output of torchvision's `features`, (20, 1280)."""
    network = torchvision.models.mobilenet_v2().eval()
    network.load_state_dict(safetensors.torch.load_file(shared / WEIGHTS))
    steps = [v2.Resize(256), v2.CenterCrop(224), v2.PILToTensor()]
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)]
    pixels = torch.stack([v2.Compose(steps)(image) for image in photographs])
    with torch.inference_mode():
        features: Float32Array = network.features(pixels).mean((2, 3)).numpy()
    return features


@pytest.mark.parametrize("backend", ["onnx", "pytorch", "openvino"])
def test_features_of_photographs_are_equal_to_those_of_torch(
    mobilenet: Bundle, photographs: list[Image.Image], by_hand: Float32Array, backend: str
) -> None:
    images = np.empty((len(photographs), 224, 224, 3), np.uint8)
    for image, pixels in zip(photographs, images, strict=True):
        picture = Picture(image, 1, image.size)
        preprocess(picture, mobilenet.manifest.signature.require_image("mobilenet"), pixels)

    session = find_backend(backend).open(mobilenet, Device("cpu"), 1)
    (input_,) = mobilenet.manifest.signature.inputs
    found = session.run({input_.tensor.name: images}, ["features"])

    assert found["features"].shape == (20, 1280)
    assert np.abs(found["features"] - by_hand).max() <= 1e-4
