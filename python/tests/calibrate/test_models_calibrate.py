import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sightline.bundle.bundle import Bundle
from sightline.bundle.verify import verify_bundle
from sightline.calibrate.calibrated_mode import CalibratedMode
from sightline.calibrate.classify import Classes, classify
from sightline.cli.models import models
from sightline.errors import SightlineError, WrongUseError
from sightline.source.listing import Listing


@pytest.fixture
def bundle(convolution: Bundle) -> Bundle:
    return convolution


def calibrate(bundle: Bundle, images: Path, options: str) -> Result:
    command = ["calibrate", str(bundle.path), "--images", str(images), *options.split()]
    return CliRunner().invoke(models, [*command, "--models", str(bundle.path.parent)])


def test_a_mode_that_agrees_is_written_into_the_manifest_with_the_int8_graph(
    bundle: Bundle, photographs: Path
) -> None:
    done = calibrate(bundle, photographs, "--backend onnx --min-images 14 --overwrite")

    assert done.exit_code == 0, done.exception
    made = Bundle.load(bundle.path)
    entry = made.manifest.calibration_of("onnx", "int8")
    assert entry is not None
    assert (entry.rows, entry.agreement, entry.top1, entry.top1_fp32) == (14, 1.0, 1.0, 1.0)
    assert entry.images == f"{photographs.parent.name}/photographs"
    assert made.manifest.calibration == (entry,)
    assert made.sha256 != bundle.sha256
    assert made.sha256 in done.output
    assert "model.int8.onnx" in made.manifest.files
    assert "onnx     int8       14      1.0000     1.0000  1.0000" in done.output
    checks = {one.subject: one.outcome for one in verify_bundle(made)}
    assert checks["model.int8.onnx"] == checks["onnx int8"] == "ok"


def test_other_images_may_set_the_ranges(bundle: Bundle, photographs: Path) -> None:
    ranges = photographs.with_name("others")
    shutil.copytree(photographs, ranges)
    options = f"--backend onnx --precision int8 --min-images 30 --as two --range-images {ranges}"

    done = calibrate(bundle, photographs, options)

    assert done.exit_code == 0, done.exception
    made = Bundle.load(bundle.path.with_name("two"))
    assert made.name == "two"
    assert made.manifest.calibration[0].rows == 30
    assert Bundle.load(bundle.path).sha256 == bundle.sha256


def test_a_folder_that_no_run_has_written_is_not_overwritten(
    bundle: Bundle, photographs: Path
) -> None:
    thesis = bundle.path.with_name("two") / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work", "utf-8")

    done = calibrate(bundle, photographs, "--backend onnx --min-images 14 --as two --overwrite")

    assert isinstance(done.exception, WrongUseError)
    assert done.exception.code == "OUTPUT_NOT_OURS"
    assert thesis.read_text("utf-8") == "years of work"


def test_calibrating_bf16_in_openvino_does_not_change_int8(
    bundle: Bundle, photographs: Path
) -> None:
    pytest.importorskip("openvino")
    calibrate(bundle, photographs, "--backend onnx --min-images 14 --overwrite")
    int8 = Bundle.load(bundle.path).manifest.files["model.int8.onnx"]

    done = calibrate(
        bundle,
        photographs,
        "--backend openvino --precision bf16 --min-images 30 --overwrite",
    )

    assert done.exit_code == 0, done.exception
    manifest = Bundle.load(bundle.path).manifest
    assert [one.mode for one in manifest.calibration] == ["onnx int8", "openvino bf16"]
    assert manifest.files["model.int8.onnx"] == int8


def test_without_a_destination_calibration_writes_nothing(
    bundle: Bundle, photographs: Path
) -> None:
    done = calibrate(bundle, photographs, "--backend onnx --min-images 14")

    assert done.exit_code == 0, done.exception
    assert "Nothing was written" in done.output
    assert Bundle.load(bundle.path).sha256 == bundle.sha256


@pytest.mark.parametrize("keep", ["", "--keep-passing"])
def test_the_error_for_a_mode_below_the_threshold_names_the_mode(
    bundle: Bundle, photographs: Path, keep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(one: Bundle, way: CalibratedMode, listing: Listing, *, allow_code: bool) -> Classes:
        made = classify(one, way, listing, allow_code=allow_code)
        if way.precision == "int8":
            made.found[made.found == 0] = 1
        return made

    monkeypatch.setattr("sightline.calibrate.calibrate.classify", spoilt)

    done = calibrate(bundle, photographs, f"--backend onnx --min-images 14 --overwrite {keep}")

    assert isinstance(done.exception, SightlineError)
    assert not isinstance(done.exception, WrongUseError)
    assert str(done.exception).startswith("BELOW_AGREEMENT_THRESHOLD: 'onnx int8' (agreement 0.")
    assert "refused: agreement" in done.output
    assert Bundle.load(bundle.path).sha256 == bundle.sha256


def test_the_error_for_too_few_images_has_their_number(bundle: Bundle, photographs: Path) -> None:
    done = calibrate(bundle, photographs, "--backend onnx --overwrite")

    assert str(done.exception).startswith(
        "NOT_ENOUGH_IMAGES: 30 images are given; a reliable measurement needs 500"
    )


def test_the_images_that_set_ranges_are_not_compared(bundle: Bundle, photographs: Path) -> None:
    done = calibrate(bundle, photographs, "--backend onnx --min-images 20")

    assert str(done.exception).startswith(
        "NOT_ENOUGH_IMAGES: 30 images are given. int8 needs 20 to compare, and at least 16"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--backend onnx --precision bf16", "UNSUPPORTED_PRECISION: backend onnx does not"),
        ("--precision fp32", "NOTHING_TO_MEASURE: fp32 is the reference"),
        (
            "--precision fp16",
            "UNKNOWN_PRECISION: --precision 'fp16'. Known: fp32, bf16, int8",
        ),
        ("--backend pytorch", "NO_VARIANT: model colour has no pytorch variant"),
        ("--as ../colour", "WRONG_MODEL_NAME: '../colour'"),
        ("--as colour", "MODEL_EXISTS: "),
    ],
)
def test_a_mode_that_cannot_be_measured_is_refused_before_any_run(
    bundle: Bundle, photographs: Path, options: str, message: str
) -> None:
    done = calibrate(bundle, photographs, options)

    assert isinstance(done.exception, WrongUseError)
    assert str(done.exception).startswith(message)


def test_a_model_can_be_calibrated_while_it_is_added(
    bundle: Bundle, photographs: Path, tmp_path: Path
) -> None:
    root = tmp_path / "added"
    command = (
        f"add colour --onnx {bundle.path}/model.onnx --labels {bundle.path}/labels.txt "
        f"--resize 8x8 --models {root} --calibrate {photographs} "
        "--backend onnx --min-images"
    ).split()

    refused = CliRunner().invoke(models, [*command, "31"])
    assert str(refused.exception).startswith("NOT_ENOUGH_IMAGES: 30 images")
    assert not (root / "colour").exists()

    done = CliRunner().invoke(models, [*command, "14"])
    assert done.exit_code == 0, done.exception
    manifest = json.loads((root / "colour" / "model.json").read_text())
    assert [one["precision"] for one in manifest["calibration"]] == ["int8"]
    assert manifest["variants"]["onnx_int8"] == {"file": "model.int8.onnx", "opset": 18}
