import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from sightline.backends import cache
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.backends.pytorch import BACKEND, PixelModel
from sightline.bundle.bundle import Bundle
from sightline.bundle.image_settings import Preprocessing, Resize
from sightline.bundle.manifest import PytorchVariant
from sightline.bundle.signature import Input, Kind, Output
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError

WEIGHT, BIAS = torch.eye(3, 192), torch.tensor([1.0, 2.0, 3.0])


@pytest.fixture
def bundle(colour_bundle: Path, tmp_path: Path) -> Bundle:
    """The colour bundle with a pytorch variant that rejects (n, 3, 8, 8): only a Linear."""
    content = safetensors.torch.save({"weight": WEIGHT, "bias": BIAS})
    (tmp_path / "weights.safetensors").write_bytes(content)
    manifest = Bundle.load(colour_bundle).manifest
    variant = PytorchVariant(
        "weights.safetensors", "torch.nn:Linear", {"in_features": 192, "out_features": 3}
    )
    files = {**manifest.files, "weights.safetensors": hashlib.sha256(content).hexdigest()}
    text = replace(manifest, pytorch=variant, files=files).to_json()
    (tmp_path / "model.json").write_bytes(text)
    return Bundle.load(tmp_path)


def test_pixels_are_normalised_per_colour_and_turned_to_channels_first() -> None:
    how = Preprocessing(
        "RGB", Resize("stretch", 2, 4, "bilinear"), None, (0.1, 0.2, 0.3), (1, 2, 4)
    )
    images = np.random.default_rng(0).integers(0, 256, (5, 2, 4, 3), np.uint8)

    found = PixelModel(torch.nn.Identity(), how)(torch.from_numpy(images)).numpy()

    expected = (images / 255 - np.array(how.mean)) / np.array(how.std)
    assert found.shape == (5, 3, 2, 4)
    assert found == pytest.approx(expected.transpose(0, 3, 1, 2), abs=1e-6)


def test_the_weights_of_the_bundle_are_loaded(bundle: Bundle) -> None:
    network = BACKEND.open(bundle, Device("cpu"), 1, allow_code=True).model.get_submodule("network")

    assert torch.equal(network.state_dict()["weight"], WEIGHT)
    assert not network.training


def test_an_open_session_still_needs_consent(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_sessions", {})
    open_session(bundle, "pytorch", Device("cpu"), 1, allow_code=True)

    with pytest.raises(WrongUseError, match=r"CODE_NOT_ALLOWED: .*'torch\.nn:Linear'"):
        open_session(bundle, "pytorch", Device("cpu"), 1)


def test_the_session_has_the_given_number_of_threads(bundle: Bundle) -> None:
    BACKEND.open(bundle, Device("cpu"), 1, allow_code=True)

    assert torch.get_num_threads() == 1


def test_weights_that_are_not_safetensors_are_refused(bundle: Bundle) -> None:
    (bundle.path / "weights.safetensors").write_bytes(b"\x80\x04rubbish")
    sha256 = hashlib.sha256(b"\x80\x04rubbish").hexdigest()
    files = {**bundle.manifest.files, "weights.safetensors": sha256}
    changed = replace(bundle, manifest=replace(bundle.manifest, files=files))

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*is not safetensors"):
        BACKEND.open(changed, Device("cpu"), 1, allow_code=True)


def test_a_flipped_byte_is_refused_at_load(bundle: Bundle) -> None:
    content = bytearray((bundle.path / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (bundle.path / "weights.safetensors").write_bytes(content)

    with pytest.raises(WrongUseError, match=r"'weights\.safetensors' has changed"):
        BACKEND.open(bundle, Device("cpu"), 1, allow_code=True)


def test_a_head_that_is_missing_in_the_network_is_refused(bundle: Bundle) -> None:
    assert bundle.manifest.pytorch is not None
    features = Output(TensorSpec("features", "float32", ("n", 192)), Kind("vector"))
    signature = bundle.manifest.signature
    manifest = replace(
        bundle.manifest,
        signature=replace(signature, outputs=(*signature.outputs, features)),
        pytorch=replace(bundle.manifest.pytorch, head="classifier.1"),
    )

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*has no layer 'classifier\.1'"):
        BACKEND.open(replace(bundle, manifest=manifest), Device("cpu"), 1, allow_code=True)


def test_an_image_beside_another_input_is_refused(bundle: Bundle) -> None:
    signature = bundle.manifest.signature
    number = Input(TensorSpec("factor", "float32", ("n",)), Kind("tensor"))
    for inputs in ((*signature.inputs, number), (number, *signature.inputs)):
        manifest = replace(bundle.manifest, signature=replace(signature, inputs=inputs))
        message = "INVALID_BUNDLE: .* a pytorch variant takes one image or only numbers"
        with pytest.raises(WrongUseError, match=message):
            BACKEND.open(replace(bundle, manifest=manifest), Device("cpu"), 1, allow_code=True)
