import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import sightline
from sightline.cli.main import main

from .conftest import photo, write_photos

TINY = [
    *("--architecture", "test_convnext", "--weights", "none", "--image-size", "32"),
    *("--batch-size", "4", "--learning-rate", "3e-3", "--mean", "0.5", "--std", "0.5"),
    *("--threads", "1", "--device", "cpu"),
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos") / "colours", 10)


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run of four epochs, whose model is registered as `colours`."""
    folder = tmp_path_factory.mktemp("run")
    options = ["--epochs", "4", "--register", "colours", "--models", str(folder / "models")]
    output = folder / "out"
    assert main(["train", "--images", str(photos), "--output", str(output), *TINY, *options]) == 0
    return output


def read(file: Path) -> Any:  # noqa: ANN401
    return json.loads(file.read_text("utf-8"))


def test_the_trained_model_predicts_new_images_with_their_labels(run: Path) -> None:
    model = sightline.load("colours", models=run.parent / "models")
    assert model.labels == ("blue", "green", "red")
    found = model.predict([photo("red", 77), photo("blue", 78), photo("green", 79)])
    assert [one.label for one in found] == ["red", "blue", "green"]


def test_the_output_has_the_evaluation_of_both_variants_and_a_model_card(run: Path) -> None:
    evaluation = read(run / "evaluation.json")
    assert evaluation["part"] == "test"
    for backend in ("onnx", "pytorch"):
        measures = evaluation["backends"][backend]
        assert measures["samples"] == 3
        assert measures["top1"] == 1.0
        assert measures["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    card = (run / "model_card.md").read_text("utf-8")
    sha256 = sightline.load(run / "models" / "colours").sha256
    assert f"- Bundle: sha256 `{sha256}`" in card
    assert "| onnx | 3 | 100.0 % | 100.0 % |" in card
    assert [one["epoch"] for one in read(run / "history.json")] == [1, 2, 3, 4]


def test_the_report_shows_the_curves_the_classes_and_the_settings(run: Path) -> None:
    page = (run / "report.html").read_text("utf-8")
    assert "<h1>Training: colours</h1>" in page
    assert 'src="data:image/png;base64,iVBOR' in page
    assert "No sample was predicted as another class." in page
    assert "<dt>architecture</dt><dd><bdi>timm:test_convnext</bdi></dd>" in page


def test_a_run_is_resumed_with_its_own_options_and_more_epochs(run: Path) -> None:
    saved = yaml.safe_load((run / "train.yaml").read_text("utf-8"))
    assert saved["epochs"] == 4
    assert saved["architecture"] == "test_convnext"
    before = read(run / "history.json")
    assert main(["train", "--output", str(run), "--resume", "--epochs", "5"]) == 0
    after = read(run / "history.json")
    assert after[:4] == before
    assert [one["epoch"] for one in after] == [1, 2, 3, 4, 5]


def test_options_may_be_in_a_file_and_the_command_line_wins(photos: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    given = dict(zip(TINY[::2], TINY[1::2], strict=True))
    options = {name.removeprefix("--"): value for name, value in given.items()}
    options |= {"images": str(photos), "epochs": "9", "output": str(tmp_path / "out")}
    config.write_text(yaml.safe_dump(options), "utf-8")
    assert main(["train", "--config", str(config), "--epochs", "1"]) == 0
    assert len(read(tmp_path / "out" / "history.json")) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--architecture", "resnet5"], "UNKNOWN_ARCHITECTURE: 'timm:resnet5'"),
        (["--optimizer", "adagrad"], "UNKNOWN_OPTIMIZER: --optimizer 'adagrad'. Known: adam"),
        (["--split", "0.5/0.1"], "INVALID_OPTION: --split is '0.5/0.1'"),
        (["--classes", "1"], "INVALID_OPTION: Invalid value: --classes '1' must be auto"),
        (["--resume", "--overwrite"], "WRONG_ARGUMENTS: --resume and --overwrite exclude"),
        (["--resume"], "NO_CHECKPOINT: "),
        (["--weights", "none.pth"], "BAD_WEIGHTS: 'none.pth': the file does not exist"),
        (["--precision", "fp16"], "UNSUPPORTED_PRECISION: --precision fp16 trains on a CUDA"),
        (["--device", "tpu"], "UNKNOWN_DEVICE: --device 'tpu'"),
        (["--name", "a b"], "BAD_MODEL_NAME: 'a b' must be letters"),
        (["--tensorboard", "{images}/red/000.jpg"], "000.jpg is not a folder."),
        (["--checkpoints", "{images}/red/000.jpg/x"], "OUTPUT_NOT_WRITABLE: "),
        (["--group-column", "patient"], "UNKNOWN_COLUMN: --group-column 'patient'. Known: "),
    ],
)
def test_a_wrong_option_ends_the_command_before_the_training(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    output = tmp_path / "out"
    words = [option.format(images=photos) for option in options]
    command = ["train", "--images", str(photos), "--output", str(output), *TINY, *words]
    assert main(command) == 2
    assert message in capsys.readouterr().err
    assert not (output / "samples" / "index.json").exists()


@pytest.mark.timeout(400)
def test_resnet50_gets_a_new_head_is_resumed_and_exported_to_two_equal_variants(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    command = ["train", "--images", str(photos), "--output", str(output), "--image-size", "64"]
    command += ["--weights", "none", "--freeze", "all-but-head", "--batch-size", "8"]
    assert main([*command, "--epochs", "2"]) == 0  # resnet50 is the default
    checkpoints = output / "checkpoints"
    assert [one.name for one in sorted(checkpoints.glob("step-*"))] == ["step-00000006"]
    assert main(["train", "--output", str(output), "--resume", "--epochs", "4"]) == 0
    names = [one.name for one in sorted(checkpoints.glob("step-*"))]
    assert names == ["step-00000006", "step-00000012"]
    assert [one["samples"] for one in read(output / "history.json")] == [24] * 4
    backends = read(output / "evaluation.json")["backends"]
    assert backends["onnx"]["confusion"] == backends["pytorch"]["confusion"]
    capsys.readouterr()
    assert main(["models", "verify", str(output / "models" / "out")]) == 0
    shown = capsys.readouterr().out
    assert "onnx variant" in shown
    assert "pytorch variant" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 3", "has the option 'epoch'. Known: "),
        ("- 1", "has no options, such as epochs: 20."),
        ("a: [", "cannot be read: "),
    ],
)
def test_a_file_of_options_that_is_wrong_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(text, "utf-8")
    assert main(["train", "--config", str(config)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("sightline: BAD_CONFIG: ")
    assert message in error


def test_a_folder_of_other_files_is_not_overwritten(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    command = ["train", "--images", str(photos), "--output", str(tmp_path), *TINY]
    assert main(command) == 2
    assert "OUTPUT_EXISTS: " in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 2
    assert "OUTPUT_NOT_OURS: " in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text("utf-8") == "mine"
