import hashlib
from dataclasses import replace

import pytest

from sightline.backends import registry
from sightline.bundle import verify
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import golden_images, pack_golden, read_golden
from sightline.bundle.verify import verify_bundle
from sightline.errors import WrongUseError


def outcomes(bundle: Bundle) -> dict[str, str]:
    return {check.subject: check.outcome for check in verify_bundle(bundle, allow_code=True)}


def test_a_sound_bundle_passes_everything(tiny: Bundle) -> None:
    assert outcomes(tiny) == {
        "golden.safetensors": "ok",
        "labels.txt": "ok",
        "model.onnx": "ok",
        "weights.safetensors": "ok",
        "labels": "ok",
        "onnx variant": "ok",
        "pytorch variant": "ok",
    }


def test_code_that_nobody_allowed_ends_verification_after_all_else(tiny: Bundle) -> None:
    checks = verify_bundle(tiny)

    assert [next(checks).outcome for _ in range(6)] == ["ok"] * 6
    with pytest.raises(WrongUseError, match=r"CODE_NOT_ALLOWED: .*'tiny_networks:two_layers'"):
        next(checks)


def test_a_flipped_byte_fails_that_file_alone(tiny: Bundle) -> None:
    path = tiny.path / "model.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    found = outcomes(tiny)

    assert [name for name, outcome in found.items() if outcome == "failed"] == ["model.onnx"]
    assert found["onnx variant"] == "skipped"
    assert found["pytorch variant"] == "ok"


def test_a_model_that_computes_something_else_fails(tiny: Bundle) -> None:
    images = golden_images(tiny.manifest.preprocessing.size)
    _, outputs = read_golden(tiny)
    golden = pack_golden(images, {"logits": outputs["logits"] + 0.01})
    (tiny.path / "golden.safetensors").write_bytes(golden)
    files = {**tiny.manifest.files, "golden.safetensors": hashlib.sha256(golden).hexdigest()}
    changed = replace(tiny, manifest=replace(tiny.manifest, files=files))

    found = outcomes(changed)

    assert found["onnx variant"] == found["pytorch variant"] == "failed"
    assert found["golden.safetensors"] == "ok"


def test_a_backend_that_is_not_installed_is_skipped_by_name(
    tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "has_runtime", lambda name: name == "onnx")

    assert registry.has_runtime("onnx")
    assert outcomes(tiny)["pytorch variant"] == "skipped"
    assert outcomes(tiny)["onnx variant"] == "ok"
