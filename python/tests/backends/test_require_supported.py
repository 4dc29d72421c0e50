from dataclasses import replace
from pathlib import Path

import pytest

from sightline.backends.registry import known_backends
from sightline.backends.require_supported import (
    backends_of,
    precisions_of,
    require_precision,
    require_variant,
)
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Calibration
from sightline.errors import WrongUseError

MEASURED = Calibration("openvino", "bf16", 500, 0.99, 0.856, 0.858, "photographs")


@pytest.fixture
def bundle(colour_bundle: Path) -> Bundle:
    """The colour bundle with one calibrated mode."""
    loaded = Bundle.load(colour_bundle)
    return replace(loaded, manifest=replace(loaded.manifest, calibration=(MEASURED,)))


def test_onnx_comes_first_and_openvino_runs_its_variant(bundle: Bundle) -> None:
    assert known_backends() == ("onnx", "pytorch", "openvino", "python")
    assert backends_of(bundle) == ("onnx", "openvino")
    require_variant(bundle, "openvino")


@pytest.mark.parametrize(
    ("backend", "precisions"),
    [
        ("onnx", ("fp32", "int8")),
        ("pytorch", ("fp32", "bf16")),
        ("openvino", ("fp32", "bf16", "int8")),
    ],
)
def test_a_backend_lists_its_precisions(backend: str, precisions: tuple[str, ...]) -> None:
    assert precisions_of(backend) == precisions


def test_the_error_for_an_unsupported_precision_lists_the_supported_ones(bundle: Bundle) -> None:
    with pytest.raises(WrongUseError) as error:
        require_precision(bundle, "onnx", "bf16")

    assert str(error.value) == (
        "UNSUPPORTED_PRECISION: backend onnx does not compute in bf16, only in fp32, int8. "
        "Use one of those, or --backend pytorch or openvino."
    )


def test_the_error_for_an_unknown_precision_lists_the_known_ones(bundle: Bundle) -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_PRECISION: 'fp16'\. Known: fp32, bf16, int8"):
        require_precision(bundle, "onnx", "fp16")


@pytest.mark.parametrize(
    ("backend", "precision"), [("onnx", "fp32"), ("openvino", "fp32"), ("openvino", "bf16")]
)
def test_fp32_and_calibrated_modes_are_allowed(
    bundle: Bundle, backend: str, precision: str
) -> None:
    require_precision(bundle, backend, precision)


@pytest.mark.parametrize(
    ("backend", "precision"), [("openvino", "int8"), ("pytorch", "bf16"), ("onnx", "int8")]
)
def test_a_mode_without_calibration_is_refused(
    bundle: Bundle, backend: str, precision: str
) -> None:
    with pytest.raises(WrongUseError) as error:
        require_precision(bundle, backend, precision)

    assert str(error.value) == (
        f"NOT_CALIBRATED: model colour has no calibration for '{backend} {precision}'; "
        "calibrated: 'openvino bf16'. Measure it: "
        f"sightline models calibrate colour --images PHOTOGRAPHS --backend {backend} "
        f"--precision {precision} --overwrite."
    )
