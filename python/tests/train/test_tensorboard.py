import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from sightline.cli.main import main
from sightline.train.checkpoint import Position
from sightline.train.epoch_record import Progress
from sightline.train.storage import Storage
from sightline.train.tensorboard_writer import TensorBoardWriter
from sightline.train.train_settings import TrainSettings
from sightline.train.train_worker import WorkerTask

from .conftest import TINY, remote_storage, task, train_alone
from .test_train_command import TINY as OPTIONS

Curves = dict[str, list[tuple[int, float]]]


def curves(folder: Path) -> Curves:
    """Return the steps and values of each tag, as TensorBoard reads them."""
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    found.Reload()
    tags: Sequence[str] = found.Tags()["scalars"]
    return {tag: [(one.step, one.value) for one in found.Scalars(tag)] for tag in tags}


def expected(history: list[dict[str, Any]], name: str) -> list[tuple[int, Any]]:
    return [(one["epoch"], pytest.approx(one[name], rel=1e-6)) for one in history]


def test_the_curves_are_the_records_and_a_resumed_run_doubles_no_step(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"scheduler": "cosine", "epochs": 4, "keep": 9}
    plain = task(samples, tmp_path / "checkpoints", **settings).to_json()
    work = WorkerTask(**json.loads(plain) | {"tensorboard": str(tmp_path / "curves")})
    first = train_alone(work)
    steps = curves(tmp_path / "curves" / "steps")
    assert [step for step, _ in steps["step/loss"]] == list(range(1, 25))
    mean = sum(loss for _, loss in steps["step/loss"][:6]) / 6  # 6 batches of 4 are an epoch
    assert mean == pytest.approx(first[0]["loss"], rel=1e-5)
    rates = dict(steps["step/learning_rate"])
    assert rates[1] == pytest.approx(3e-3)
    assert [rates[6 * one["epoch"]] for one in first] == pytest.approx(
        [one["learning_rate"] for one in first]
    )

    # The last two epochs were written after the checkpoint from which the run continues.
    for name in ("step-00000018", "step-00000024"):
        Storage(tmp_path / "checkpoints").remove(name)
    second = train_alone(work)
    again = curves(tmp_path / "curves" / "steps")
    assert [step for step, _ in again["step/loss"]] == list(range(1, 25))
    assert again["step/loss"] == steps["step/loss"]  # bit-equal, as the run
    epochs = curves(tmp_path / "curves" / "epochs")
    assert set(epochs) == {
        "epoch/loss",
        "epoch/validation_loss",
        "epoch/validation_top1",
        "epoch/validation_top5",
        "epoch/learning_rate",
        "epoch/images_per_second",
        "epoch/wait_share",
    }
    for tag, values in epochs.items():
        assert values == expected(second, tag.removeprefix("epoch/")), tag

    # It reads its checkpoint once.
    fetched: list[str] = []
    fetch = Storage.fetch

    def counted(self: Storage, name: str, local: Path) -> None:
        fetched.append(name)
        fetch(self, name, local)

    monkeypatch.setattr(Storage, "fetch", counted)
    train_alone(task(samples, tmp_path / "checkpoints", **settings))
    assert sorted(fetched) == ["model.safetensors", "optimizer.safetensors"]


def test_the_progress_of_an_epoch_is_at_the_step_of_the_run(tmp_path: Path) -> None:
    writer = TensorBoardWriter(Storage(tmp_path), TrainSettings(**TINY), 6, Position(0, 0, 0))
    writer.progress(Progress(3, 4, 2, 6, 0.5, 120.0, 0.25, 9.0))
    writer.close()
    assert curves(tmp_path / "steps") == {
        "step/images_per_second": [(14, 120.0)],
        "step/wait_share": [(14, 0.25)],
    }


def test_the_files_of_an_object_store_are_there_before_the_checkpoint(tmp_path: Path) -> None:
    place = remote_storage("memory://bucket/curves")
    writer = TensorBoardWriter(place, TrainSettings(**TINY), 6, Position(0, 0, 0))
    writer.steps(1, [0.5, 0.25])
    writer.flush()
    (name,) = (place / "steps").names()
    (place / "steps").fetch(name, tmp_path / name)
    assert curves(tmp_path)["step/loss"] == [(1, 0.5), (2, 0.25)]
    writer.steps(3, [0.125])
    writer.close()
    (place / "steps").fetch(name, tmp_path / name)
    assert curves(tmp_path)["step/loss"] == [(1, 0.5), (2, 0.25), (3, 0.125)]


def test_the_option_auto_writes_into_the_output_which_can_be_replaced(
    photos: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    command = ["train", "--images", str(photos), "--output", str(output), *OPTIONS]
    assert main([*command, "--epochs", "1", "--tensorboard", "auto"]) == 0
    history = json.loads((output / "history.json").read_text("utf-8"))
    loss = curves(output / "tensorboard" / "epochs")["epoch/loss"]
    assert loss == expected(history, "loss")
    assert main(["train", "--output", str(output), "--resume", "--epochs", "2"]) == 0
    history = json.loads((output / "history.json").read_text("utf-8"))
    loss = curves(output / "tensorboard" / "epochs")["epoch/loss"]
    assert loss == expected(history, "loss")
    assert main([*command, "--epochs", "1", "--overwrite"]) == 0
    assert not (output / "tensorboard").exists()


def test_a_missing_package_is_reported_before_an_image_is_read(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    command = ["train", "--images", str(photos), "--output", str(tmp_path / "out"), *OPTIONS]
    assert main([*command, "--tensorboard", "auto"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("sightline: MISSING_PACKAGE: --tensorboard needs the package ")
    assert "pip install 'sightline[tensorboard]'" in error
    assert not (tmp_path / "out").exists()
