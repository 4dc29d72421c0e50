"""TensorFlow's SavedModels, converted in TensorFlow's interpreter and run by onnxruntime."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

import sightline
from sightline.bundle.add_tensors import add_tensors
from sightline.bundle.bundle import Bundle
from sightline.bundle.from_saved_model import VARIABLE, from_saved_model
from sightline.bundle.golden import read_golden
from sightline.bundle.tensor_request import TensorRequest
from sightline.cli.models import models as models_command
from sightline.errors import SightlineError, WrongUseError

from .conversions import assert_same, run, shapes

ROOT = Path(__file__).resolve().parents[3]
TENSORFLOW = ROOT / ".tools/tensorflow/bin/python"
needs_tensorflow = pytest.mark.skipif(
    not TENSORFLOW.exists(), reason=f"{TENSORFLOW} is missing: run `make test`"
)
pytestmark = pytest.mark.timeout(400)  # TensorFlow takes 10 s to start, more on a busy machine


@pytest.fixture(scope="module")
def digits() -> dict[str, np.ndarray]:
    """1,797 images of 8 x 8 pixels, every fourth for the test."""
    images, labels = load_digits(return_X_y=True)
    pixels = (images.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    test = np.arange(len(labels)) % 4 == 0
    return {
        "train_x": pixels[~test],
        "train_y": labels[~test],
        "test_x": pixels[test],
        "test_y": labels[test],
    }


@pytest.fixture(scope="module")
def models(digits: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensorflow")
    np.savez(folder / "digits.npz", **digits)  # type: ignore[arg-type]
    script = Path(__file__).with_name("make_saved_models.py")
    done = subprocess.run(  # noqa: S603 - of .tools, by scripts/make_tensorflow.sh
        [str(TENSORFLOW), str(script), str(folder / "digits.npz"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        # Other tests use Keras with torch in this process; TensorFlow's interpreter has no torch.
        env={key: text for key, text in os.environ.items() if key != "KERAS_BACKEND"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.slow
@needs_tensorflow
def test_digits_have_the_accuracy_of_tensorflow(
    models: Path,
    digits: dict[str, np.ndarray],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    model = from_saved_model(models / "digits", TENSORFLOW)
    printed = capsys.readouterr().err.splitlines()
    assert printed[0].startswith("Converting 'digits' with TensorFlow in ")
    assert printed[1].startswith("Converted 'digits' in ")
    assert shapes(model.onnx) == {"pixels": ["n", 8, 8, 1], "output_0": ["n", 10]}
    assert model.origin.startswith("TensorFlow 2.")
    assert model.origin.endswith(", digits, signature serving_default")
    assert model.parameters == 16 * 9 + 16 + 6 * 6 * 16 * 10 + 10
    assert_same(model)
    add_tensors(model, TensorRequest("digits"), tmp_path)
    rows = sightline.load("digits", models=tmp_path).run({"pixels": digits["test_x"]})
    scores = np.stack([row["output_0"] for row in rows])  # type: ignore[index]
    np.testing.assert_allclose(scores, np.load(models / "scores.npy"), atol=1e-5)
    accuracy = float((scores.argmax(1) == digits["test_y"]).mean())
    assert accuracy == json.loads((models / "accuracy.json").read_text()) > 0.9


@pytest.mark.slow
@needs_tensorflow
def test_the_keras_file_of_tensorflow_gives_its_scores_on_torch(
    models: Path, digits: dict[str, np.ndarray]
) -> None:
    from sightline.bundle.from_keras import from_keras

    model = from_keras(models / "digits.keras")
    scores = run(model.onnx, {"pixels": digits["test_x"]})["output"]
    np.testing.assert_allclose(scores, np.load(models / "scores.npy"), atol=1e-5)


@pytest.mark.slow
@needs_tensorflow
def test_the_command_keeps_the_names_of_two_inputs(
    models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(TENSORFLOW))
    arguments = ["add", "two", "--saved-model", str(models / "two"), "--models", str(tmp_path)]
    result = CliRunner().invoke(models_command, arguments)
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines()[1:] == [
        "input a: float32 (n, 4), tensor",
        "input b: float32 (n, b_1, 3), tensor",
        "output output_0: float32 (n, 2), vector",
        "output output_1: float32 (n, 5), vector",
    ]
    inputs, outputs = read_golden(Bundle.load(tmp_path / "two"))  # of TensorFlow
    rows = sightline.load("two", models=tmp_path).run(inputs)
    for name, value in outputs.items():
        np.testing.assert_allclose([row[name] for row in rows], value, atol=1e-5)  # type: ignore[index]


@pytest.mark.slow
@needs_tensorflow
def test_a_batch_fixed_at_one_and_a_signature_of_another_name(models: Path) -> None:
    model = from_saved_model(models / "functions", TENSORFLOW, signature="one")
    assert shapes(model.onnx) == {"x": [1, "x_1", 3], "y": [1, "y_1", 2]}
    assert {name: value.shape for name, value in model.inputs.items()} == {"x": (1, 8, 3)}
    assert_same(model)


@pytest.mark.slow
@needs_tensorflow
def test_half_precision(models: Path) -> None:
    model = from_saved_model(models / "functions", TENSORFLOW, signature="half")
    assert model.inputs["x"].dtype == model.outputs["y"].dtype == np.float16
    assert_same(model, within=5e-3)


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.parametrize(
    ("signature", "condition", "reason"),
    [
        ("", "UNKNOWN_SIGNATURE", r"no signature 'serving_default' \(.*half.*Choose one"),
        ("text", "EXPORT_FAILED", "its output 'y' is text"),
        ("seven", "FIXED_BATCH", "x: 7"),
        ("nan", "NOT_FINITE", "NaN in its output 'y'"),
    ],
)
def test_a_signature_that_cannot_be_converted(
    models: Path, signature: str, condition: str, reason: str
) -> None:
    with pytest.raises(SightlineError, match=reason) as caught:
        from_saved_model(models / "functions", TENSORFLOW, signature=signature)
    assert caught.value.code == condition


@pytest.mark.slow
@needs_tensorflow
def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"text")
    with pytest.raises(WrongUseError, match="TensorFlow cannot read it") as caught:
        from_saved_model(tmp_path, TENSORFLOW)
    assert caught.value.code == "BAD_MODEL_FILE"


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"not a folder with saved_model\.pb") as caught:
        from_saved_model(tmp_path)
    assert caught.value.code == "BAD_MODEL_FILE"


def test_without_tensorflow_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    monkeypatch.delenv(VARIABLE, raising=False)
    command = r"python -m venv tf && tf/bin/pip install tensorflow-cpu tf2onnx"
    for python, reason in [
        (None, "does not have tensorflow and tf2onnx"),
        (Path(sys.executable), "does not have tensorflow and tf2onnx"),
        (tmp_path / "python", "cannot be started"),
    ]:
        with pytest.raises(WrongUseError, match=f"{reason}.*{command}") as caught:
            from_saved_model(tmp_path, python)
        assert caught.value.code == "MISSING_PACKAGE"


def test_a_conversion_that_hangs_is_ended_with_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"")
    python = tmp_path / "python"
    child = tmp_path / "child"
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exit 0\nsleep 600 &\necho $! > {child}.new\n'
        f"mv {child}.new {child}\nwait\n"
    )
    python.chmod(0o755)
    monkeypatch.setenv("SIGHTLINE_TENSORFLOW_SECONDS", "3")
    with pytest.raises(
        SightlineError, match=r"did not convert it within 3 s\. Set SIGHTL"
    ) as caught:
        sightline.add_model(model, "slow", models=tmp_path / "models", tensorflow_python=python)
    assert caught.value.code == "EXPORT_FAILED"
    with pytest.raises(ProcessLookupError):
        _wait_until_gone(int(child.read_text()))
    monkeypatch.setenv("SIGHTLINE_TENSORFLOW_SECONDS", "-1")
    with pytest.raises(
        WrongUseError, match=r"INVALID_OPTION: SIGHTLINE_TENSORFLOW_SECONDS is '-1'"
    ):
        from_saved_model(model, python)


def _wait_until_gone(process: int) -> None:
    """Raise ProcessLookupError when the process has ended, or return after ten seconds."""
    for _ in range(100):
        os.kill(process, 0)
        if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":  # ended, and not waited for
            raise ProcessLookupError
        time.sleep(0.1)


def test_an_interpreter_that_dies_is_reported(tmp_path: Path) -> None:
    """It has the packages, as far as it says, and is killed while it converts."""
    (tmp_path / "saved_model.pb").write_bytes(b"")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho out of memory\nkill -9 $$\n')
    python.chmod(0o755)
    with pytest.raises(SightlineError, match=r"status -9 while converting: out of mem") as caught:
        from_saved_model(tmp_path, python)
    assert caught.value.code == "EXPORT_FAILED"
