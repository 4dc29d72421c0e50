"""The Python interface: `sightline.load` and its result."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import sightline
import sightline.api
from sightline.cli.main import main

Encode = Callable[..., bytes]


@pytest.fixture
def images(tmp_path: Path, encode: Encode) -> list[Path]:
    """Three images of one colour, and four files without a prediction."""
    folder = tmp_path / "images"
    folder.mkdir()
    for colour in ("red", "green", "blue"):
        (folder / f"{colour}.png").write_bytes(encode(colour))
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_bytes(b"no image")
    (folder / "torn.png").write_bytes(encode("red")[:40])
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    return sorted(folder.iterdir())


def command_rows(command: str, images: list[Path], model: Path) -> list[dict[str, typing.Any]]:
    folder = images[0].parent
    output = folder.parent / command
    arguments = ["--images", str(folder), "--model", str(model), "--output", str(output)]
    assert main([command, *arguments]) == 0
    return pq.read_table(output / "part-00000.parquet").to_pylist()


def error_of(result: sightline.Prediction | sightline.FeatureVector) -> dict[str, str] | None:
    error = result.error
    if error is None:
        return None
    return {"code": error.code, "stage": error.stage, "message": error.message}


def test_predictions_are_those_of_the_command(images: list[Path], colour_bundle: Path) -> None:
    rows = command_rows("predict", images, colour_bundle)
    predictions = sightline.load(colour_bundle).predict(images)
    assert [Path(row["path"]).name for row in rows] == [image.name for image in images]
    for prediction, row in zip(predictions, rows, strict=True):
        assert error_of(prediction) == row["error"]
        if row["prediction"] is None:
            assert prediction == sightline.Prediction(None, None, None, (), prediction.error)
        else:
            expected = row["prediction"]
            top_k = tuple(sightline.RankedClass(**one) for one in expected.pop("top_k"))
            assert prediction == sightline.Prediction(**expected, top_k=top_k, error=None)
    assert [prediction.label for prediction in predictions if not prediction.error] == [
        *("blue", "green", "red")
    ]


def test_features_are_those_of_the_command(images: list[Path], means_bundle: Path) -> None:
    rows = command_rows("features", images, means_bundle)
    for found, row in zip(sightline.load(means_bundle).features(images), rows, strict=True):
        assert error_of(found) == row["error"]
        if row["features"] is None:
            assert found.values is None
        else:
            assert found.values is not None
            assert found.values.dtype == np.float32
            assert found.values.tolist() == row["features"]


def test_an_image_is_a_path_a_text_or_bytes(images: list[Path], colour_bundle: Path) -> None:
    model = sightline.load(str(colour_bundle), threads=1, batch_rows=2)
    paths = model.predict(images[:1] * 3)
    assert model.predict([images[0], str(images[0]), images[0].read_bytes()]) == paths
    assert model.predict(image for image in images[:1] * 3) == paths
    assert model.predict([]) == []


def test_more_images_than_one_batch_keep_their_order(encode: Encode, colour_bundle: Path) -> None:
    colours = ["red", "green", "blue", "green"] * 150
    encoded = {colour: encode(colour) for colour in set(colours)}
    predictions = sightline.load(colour_bundle).predict(encoded[colour] for colour in colours)
    assert [prediction.label for prediction in predictions] == colours


def test_top_k_limits_the_classes(images: list[Path], colour_bundle: Path) -> None:
    model = sightline.load(colour_bundle)
    (prediction,) = model.predict([images[0]], top_k=1)
    assert [one.label for one in prediction.top_k] == [prediction.label]
    with pytest.raises(sightline.WrongUseError, match="INVALID_OPTION: top_k is 0"):
        model.predict([images[0]], top_k=0)


def test_a_model_describes_itself(colour_bundle: Path) -> None:
    model = sightline.load(colour_bundle, device="cpu")
    assert (model.name, model.labels, model.device) == ("colour", ("red", "green", "blue"), "cpu")
    assert repr(model) == f"<sightline.Model colour on cpu, sha256 {model.sha256[:12]}>"


def test_missing_or_changed_labels_are_an_error(colour_bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(colour_bundle, tmp_path / "colour")
    models = [sightline.load(copy) for _ in range(2)]
    (copy / "labels.txt").write_text("one\ntwo\nthree\n")
    with pytest.raises(sightline.WrongUseError, match=r"BUNDLE_CORRUPT: .*labels\.txt"):
        _ = models[0].labels
    (copy / "labels.txt").unlink()
    with pytest.raises(sightline.WrongUseError, match=r"INVALID_BUNDLE: .*labels\.txt' is missing"):
        _ = models[1].labels
    tree = json.loads((copy / "model.json").read_text())
    tree["outputs"][0]["head"] = {"kind": "vector"}
    (copy / "model.json").write_text(json.dumps(tree))
    with pytest.raises(sightline.WrongUseError, match="NO_CLASSES: model colour has no output"):
        _ = sightline.load(copy).labels


def test_a_path_names_a_bundle_without_a_slash(
    colour_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(colour_bundle.parent)
    assert sightline.load(Path("colour")).name == "colour"
    assert sightline.load("colour", models=colour_bundle.parent).name == "colour"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "tensorflow"}, "UNKNOWN_BACKEND: backend 'tensorflow'. Known: onnx, "),
        ({"precision": "fp16"}, "UNKNOWN_PRECISION: precision 'fp16'. Known: fp32, bf16, int8."),
        ({"device": "tpu"}, "UNKNOWN_DEVICE: device 'tpu'. Known: auto, cpu, cuda."),
        ({"decoder": "turbo"}, "UNKNOWN_DECODER: decoder 'turbo'. Known: fast, exact."),
        ({"backend": "pytorch"}, "NO_VARIANT: model colour has no pytorch variant"),
        ({"precision": "int8"}, "NOT_CALIBRATED: model colour has no calibration for 'onnx int8"),
        ({"threads": 0}, "INVALID_OPTION: threads is 0"),
        (
            {"batch_rows": "Auto"},
            "INVALID_OPTION: batch_rows is 'Auto'; it must be an integer, or auto",
        ),
        ({"batch_rows": "8"}, "INVALID_OPTION: batch_rows is '8'; it must be an integer, or auto"),
        ({"threads": "2"}, "INVALID_OPTION: threads is '2'; it must be an integer"),
        ({"model": "colours"}, "UNKNOWN_MODEL: 'colours'. Known: "),
    ],
)
def test_wrong_use_is_an_error_with_a_condition(
    options: dict[str, typing.Any], message: str, colour_bundle: Path
) -> None:
    with pytest.raises(sightline.WrongUseError) as raised:
        sightline.load(**{"model": colour_bundle, **options})
    assert str(raised.value).startswith(message)
    assert isinstance(raised.value, sightline.SightlineError)


def test_images_of_a_wrong_type_raise_a_type_error(images: list[Path], colour_bundle: Path) -> None:
    model = sightline.load(colour_bundle)
    for single in (str(images[0]), images[0], images[0].read_bytes()):
        with pytest.raises(TypeError, match=r"iterable of paths or bytes, such as \[path\]"):
            model.predict(single)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be a path or bytes, not int"):
        model.predict([1])  # type: ignore[list-item]


def test_features_of_a_model_without_features_raise_an_error(
    images: list[Path], colour_bundle: Path
) -> None:
    with pytest.raises(sightline.WrongUseError, match="NO_FEATURES: model colour has no output"):
        sightline.load(colour_bundle).features(images)


def test_all_lists_every_public_name() -> None:
    assert sightline.__all__ == sorted(sightline.__all__)
    for name in sightline.__all__:
        assert getattr(sightline, name) is not None
    defined = {
        name
        for name, value in vars(sightline.api).items()
        if getattr(value, "__module__", "") == "sightline.api" and not name.startswith("_")
    }
    assert defined <= set(sightline.__all__)
    assert set(sightline.__all__) <= set(dir(sightline))
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        _ = sightline.predict


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("numpy", "pyarrow", "PIL", "click", "tqdm", "torch", "onnxruntime", "json")
    program = f"import sys, sightline; print([one for one in {heavy} if one in sys.modules])"
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
