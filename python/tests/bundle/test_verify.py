import hashlib
from dataclasses import replace

import numpy as np
import pytest

from sightline.backends.backend import Float32Array
from sightline.backends.registry import has_runtime
from sightline.bundle import verify
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import deltas, pack_golden, read_golden
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


def test_code_without_consent_stops_the_verification_after_the_other_checks(tiny: Bundle) -> None:
    checks = verify_bundle(tiny)

    assert [next(checks).outcome for _ in range(6)] == ["ok"] * 6
    with pytest.raises(WrongUseError, match=r"CODE_NOT_ALLOWED: .*'tiny_networks:two_layers'"):
        next(checks)


def test_a_flipped_byte_fails_the_check_of_only_that_file(tiny: Bundle) -> None:
    path = tiny.path / "model.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    found = outcomes(tiny)

    assert [name for name, outcome in found.items() if outcome == "failed"] == ["model.onnx"]
    assert found["onnx variant"] == "skipped"
    assert found["pytorch variant"] == "ok"


@pytest.mark.parametrize("output", ["logits", "features"])
def test_a_model_that_computes_something_else_fails(tiny: Bundle, output: str) -> None:
    inputs, outputs = read_golden(tiny)
    golden = pack_golden(inputs, {**outputs, output: outputs[output] + 0.01})
    (tiny.path / "golden.safetensors").write_bytes(golden)
    files = {**tiny.manifest.files, "golden.safetensors": hashlib.sha256(golden).hexdigest()}
    changed = replace(tiny, manifest=replace(tiny.manifest, files=files))

    found = outcomes(changed)

    assert found["onnx variant"] == found["pytorch variant"] == "failed"
    assert found["golden.safetensors"] == "ok"


def test_a_bundle_cannot_lower_the_tolerance_of_its_checks(tiny: Bundle) -> None:
    inputs, outputs = read_golden(tiny)
    largest = float(np.abs(outputs["logits"]).max())
    golden = pack_golden(inputs, {**outputs, "logits": outputs["logits"] + 0.1 * max(1, largest)})
    (tiny.path / "golden.safetensors").write_bytes(golden)
    manifest = replace(
        tiny.manifest,
        files={**tiny.manifest.files, "golden.safetensors": hashlib.sha256(golden).hexdigest()},
        golden=replace(tiny.manifest.golden, tolerance=600.0),
    )
    (tiny.path / "model.json").write_bytes(manifest.to_json())

    found = outcomes(Bundle.load(tiny.path))

    assert found["onnx variant"] == found["pytorch variant"] == "failed"


def test_a_golden_batch_without_scores_is_refused(tiny: Bundle) -> None:
    golden = pack_golden(read_golden(tiny)[0], {})
    (tiny.path / "golden.safetensors").write_bytes(golden)
    files = {**tiny.manifest.files, "golden.safetensors": hashlib.sha256(golden).hexdigest()}

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*does not hold logits"):
        read_golden(replace(tiny, manifest=replace(tiny.manifest, files=files)))


def test_features_are_checked_to_a_thousandth_of_the_largest_feature() -> None:
    expected = {"logits": array(1, 1), "features": array(-400, 0.5)}

    assert delta({"logits": array(1, 1.25), "features": array(-400, 0.5)}, expected) == 0.25
    assert delta({"logits": array(1, 1), "features": array(-396, 0.5)}, expected) == 0.01
    assert delta({"logits": array(1, 1)}, expected) == float("inf")


def array(*row: float) -> Float32Array:
    return np.array([row], np.float32)


def delta(found: dict[str, Float32Array], expected: dict[str, Float32Array]) -> float:
    return max(deltas(found, expected, {"logits"}).values())


def test_a_backend_that_is_not_installed_is_skipped_by_name(
    tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "has_runtime", lambda name: name == "onnx")

    assert has_runtime("onnx")
    assert outcomes(tiny)["pytorch variant"] == "skipped"
    assert outcomes(tiny)["onnx variant"] == "ok"
