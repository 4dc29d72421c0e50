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

MEASURED = Calibration("openvino", "bf16", "pillow", 500, 0.99, 0.856, 0.858, "photographs")


@pytest.fixture
def bundle(colour_bundle: Path) -> Bundle:
    """The colour bundle, measured in one way."""
    loaded = Bundle.load(colour_bundle)
    return replace(loaded, manifest=replace(loaded.manifest, calibration=(MEASURED,)))


def test_onnx_comes_first_and_openvino_runs_its_variant(bundle: Bundle) -> None:
    assert known_backends() == ("onnx", "pytorch", "openvino")
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
def test_a_backend_says_what_it_can_do(backend: str, precisions: tuple[str, ...]) -> None:
    assert precisions_of(backend) == precisions


def test_a_precision_that_a_backend_cannot_do_names_what_it_can(bundle: Bundle) -> None:
    with pytest.raises(WrongUseError) as error:
        require_precision(bundle, "onnx", "bf16", "pillow")

    assert str(error.value) == (
        "UNSUPPORTED_PRECISION: backend onnx does not compute in bf16, only in fp32, int8. "
        "Use one of those, or --backend pytorch or openvino."
    )


def test_an_unknown_precision_lists_the_known(bundle: Bundle) -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_PRECISION: 'fp16'\. Known: fp32, bf16, int8"):
        require_precision(bundle, "onnx", "fp16", "pillow")


@pytest.mark.parametrize(
    ("backend", "precision", "decoder"),
    [
        ("onnx", "fp32", "pillow"),
        ("openvino", "fp32", "turbo"),  # bit for bit Pillow's pixels
        ("openvino", "bf16", "pillow"),
        ("openvino", "bf16", "turbo"),
    ],
)
def test_what_changes_no_number_or_was_measured_may_run(
    bundle: Bundle, backend: str, precision: str, decoder: str
) -> None:
    require_precision(bundle, backend, precision, decoder)


@pytest.mark.parametrize(
    ("backend", "precision", "decoder"),
    [
        ("openvino", "bf16", "scaled"),
        ("pytorch", "bf16", "pillow"),
        ("onnx", "fp32", "scaled"),
    ],
)
def test_what_was_not_measured_in_exactly_this_way_is_refused(
    bundle: Bundle, backend: str, precision: str, decoder: str
) -> None:
    with pytest.raises(WrongUseError) as error:
        require_precision(bundle, backend, precision, decoder)

    assert str(error.value) == (
        f"NOT_CALIBRATED: model colour has no calibration for '{backend} {precision} {decoder}'; "
        "calibrated: 'openvino bf16 pillow'. Measure it: "
        f"sightline models calibrate colour --images PHOTOGRAPHS --backend {backend} "
        f"--precision {precision} --decoder {decoder} --overwrite."
    )
