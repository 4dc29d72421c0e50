from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

import sightline
from sightline.cli.main import main
from sightline.train.augment import PixelReader
from sightline.train.checkpoint import checkpoint_names, read_checkpoint
from sightline.train.checkpoint_writer import best_checkpoint
from sightline.train.network import preprocessing_of
from sightline.train.storage import Storage
from sightline.train.train_settings import TrainSettings

from .conftest import TINY as SETTINGS
from .conftest import photo, task, train_alone, write_photos
from .test_train_command import TINY


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs with a checkpoint after each."""
    output = tmp_path_factory.mktemp("run") / "out"
    options = ["--epochs", "3", "--checkpoint-every", "1", *TINY]
    assert main(["train", "--images", str(photos), "--output", str(output), *options]) == 0
    return output


def tensors(file: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(file, weights_only=True)
    return found


def test_a_module_of_timm_with_the_file_gives_the_scores_of_the_bundle(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "best.pth"
    assert main(["checkpoint", str(run), "--output", str(file)]) == 0
    best = best_checkpoint(Storage(run / "checkpoints"))
    shown = capsys.readouterr().out
    assert f"checkpoint {best}, " in shown
    assert "network    timm:test_convnext, 3 classes\n" in shown

    network = timm.create_model("test_convnext", num_classes=3).eval()
    network.load_state_dict(tensors(file))
    images = [photo(colour, 50) for colour in ("red", "blue", "green")]
    reader = PixelReader(preprocessing_of(TrainSettings(**SETTINGS)), "none", 0)
    pixels = np.empty((3, 32, 32, 3), np.uint8)
    assert [reader.plain(one, pixels[at]) for at, one in enumerate(images)] == [None] * 3
    with torch.inference_mode():
        given = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        scores = network((given - 0.5) / 0.5).softmax(1).max(1)
    found = sightline.load(run / "models" / "out").predict(images)
    labels = ("blue", "green", "red")
    assert [labels[at] for at in scores.indices.tolist()] == [one.label for one in found]
    assert scores.values.tolist() == pytest.approx([one.score for one in found], abs=1e-5)


def test_one_checkpoint_or_the_best_of_a_folder_is_written(run: Path, tmp_path: Path) -> None:
    folder = Storage(run / "checkpoints")
    names = checkpoint_names(folder)
    assert names == ["step-00000006", "step-00000012", "step-00000018"]
    asked = {f"checkpoints/{name}": name for name in names} | {
        "checkpoints": best_checkpoint(folder)
    }
    for place, name in asked.items():
        file = tmp_path / "out.pt"
        assert main(["checkpoint", f"{run / place}/", "--output", str(file), "--overwrite"]) == 0
        expected = read_checkpoint(folder, name).model
        written = tensors(file)
        assert list(written) == sorted(expected)
        assert all(torch.equal(written[key], value) for key, value in expected.items())


def test_the_newest_is_written_if_no_epoch_has_ended(samples: Path, tmp_path: Path) -> None:
    train_alone(task(samples, tmp_path, epochs=1, checkpoint_batches=2))
    Storage(tmp_path).remove("step-00000006")
    assert main(["checkpoint", str(tmp_path), "--output", str(tmp_path / "new.pth")]) == 0
    newest = read_checkpoint(Storage(tmp_path), "step-00000004").model
    assert torch.equal(tensors(tmp_path / "new.pth")["head.fc.weight"], newest["head.fc.weight"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{none}", "--output", "{none}/a.pth"], "NO_CHECKPOINT: {none} has no checkpoint of"),
        (["{run}", "--output", "{none}/a.onnx"], "INVALID_OPTION: --output is "),
        (["{run}", "--output", "{none}/there.pth"], "OUTPUT_EXISTS: {none}/there.pth exists."),
        (["{run}", "--output", "{run}/a.pth", "--overwrite"], "INVALID_OPTION: --output is "),
        (["{run}", "--output", "{none}/there.pth/b.pth"], "OUTPUT_NOT_WRITABLE: "),
    ],
)
def test_a_wrong_use_writes_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    (tmp_path / "there.pth").write_text("mine", "utf-8")
    (run / "a.pth").mkdir(exist_ok=True)
    given = [word.format(none=tmp_path, run=run) for word in words]
    assert main(["checkpoint", *given]) == 2
    assert message.format(none=tmp_path) in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["there.pth"]
    assert (tmp_path / "there.pth").read_text("utf-8") == "mine"


def test_a_run_starts_from_a_checkpoint_of_another_run_with_a_new_head(
    run: Path, tmp_path: Path
) -> None:
    write_photos(tmp_path / "two", 8)
    for file in (tmp_path / "two" / "green").iterdir():
        file.unlink()
    options: list[Any] = ["--images", tmp_path / "two", "--output", tmp_path / "out", "--epochs", 1]
    start = ["--weights", run / "checkpoints" / "step-00000012", "--freeze", "all-but-head"]
    command = [*map(str, ["train", *options, *TINY, *start])]
    assert main(command) == 0
    before = read_checkpoint(Storage(run / "checkpoints"), "step-00000012").model
    after = read_checkpoint(Storage(tmp_path / "out/checkpoints"), "step-00000003").model
    assert tuple(after["head.fc.weight"].shape[:1]) == (2,)
    changed = [key for key, value in after.items() if not value.equal(before[key])]
    assert sorted(changed) == ["head.fc.bias", "head.fc.weight"]
