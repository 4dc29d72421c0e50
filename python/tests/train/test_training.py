import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from sightline.errors import SightlineError, WrongUseError
from sightline.train.checkpoint import (
    MODEL_FILE,
    OPTIMIZER_FILE,
    checkpoint_names,
    prune,
    read_checkpoint,
    read_newest,
    read_state,
    save_checkpoint,
)
from sightline.train.checkpoint_writer import best_checkpoint
from sightline.train.epoch_record import EpochRecord
from sightline.train.process_group import ProcessGroup
from sightline.train.run_lock import OWNER_FILE
from sightline.train.storage import Storage
from sightline.train.train_worker import PROGRESS_FILE, run_worker
from sightline.worker.training_driver import finish

from .conftest import OWNER, remote_storage, task, train_alone

# A worker of torchrun. It ends itself before the batch BATCH of the epoch EPOCH, in its first run.
WORKER = """
import json, os, signal, sys
from pathlib import Path
import torch
from sightline.train import loop
from sightline.train.process_group import join_environment
from sightline.train.train_worker import WorkerTask, run_worker
folder = Path(sys.argv[1])
stop = os.environ.get("STOP")
step = loop.TrainLoop._step
def stepped(self, batch, rows, weight):
    here = f"{self._position.epoch}.{self._position.batch}.{self._group.rank}"
    if here == stop:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, rows, weight)
loop.TrainLoop._step = stepped
group = join_environment(torch.device("cpu"))
work = WorkerTask.from_json((folder / "task.json").read_text())
history = run_worker(work, group, lambda _: None)
if group.is_first:
    (folder / "history.json").write_text(json.dumps(history))
group.close()
"""


# Another network with LayerNorm, whose module takes a fraction of the time that timm takes.
NETWORK = """
import torch
from torch import nn
def tiny(num_classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, 4), nn.GroupNorm(1, 16), nn.GELU(),
        nn.Conv2d(16, 32, 2, 2), nn.GroupNorm(1, 32), nn.GELU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, num_classes),
    )
"""
PLAIN = {"architecture": "plain_network:tiny"}


@pytest.fixture
def plain_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `PLAIN` importable in this process, and in the workers beside it."""
    (tmp_path / "plain_network.py").write_text(NETWORK, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def run_workers(folder: Path, workers: int, stop: str = "") -> list[str]:
    """Run the workers as torchrun starts them. Return the error output of those that failed."""
    script = folder / "worker.py"
    script.write_text(WORKER, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(workers)}
    started = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, str(script), str(folder)],
            env={**os.environ, **shared, "RANK": str(rank), "STOP": stop, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(workers)
    ]
    found = [(one.communicate(timeout=200)[1], one.returncode) for one in started]
    return [f"{status}: {text}" for text, status in found if status]


def trained(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "history.json").read_text("utf-8"))
    return found


def last(folder: Path) -> dict[str, bytes]:
    """Return the bytes of the tensors in the newest checkpoint."""
    name = checkpoint_names(Storage(folder))[-1]
    return {file: (folder / name / file).read_bytes() for file in (MODEL_FILE, OPTIMIZER_FILE)}


def test_the_network_learns_and_each_epoch_has_each_sample_once(
    samples: Path, tmp_path: Path
) -> None:
    history = train_alone(task(samples, tmp_path, epochs=5))
    assert [one["epoch"] for one in history] == [1, 2, 3, 4, 5]
    assert [one["samples"] for one in history] == [24] * 5
    assert [one["step"] for one in history] == [6, 12, 18, 24, 30]
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert history[-1]["validation_top1"] == 1.0
    assert json.loads((tmp_path / PROGRESS_FILE).read_text("utf-8"))["record"] == history[-1]


def test_the_newest_checkpoints_and_the_best_are_kept(samples: Path, tmp_path: Path) -> None:
    train_alone(task(samples, tmp_path, epochs=5, keep=1))
    storage = Storage(tmp_path)
    names = checkpoint_names(storage)
    assert names[-1] == "step-00000030"
    assert len(names) <= 2
    assert set(names) == {"step-00000030", best_checkpoint(storage)}
    losses = [read_state(storage, name)["history"][-1]["validation_loss"] for name in names]
    assert min(losses) == losses[names.index(best_checkpoint(storage))]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_resumed_in_the_middle_of_an_epoch_ends_bit_equal(
    samples: Path, tmp_path: Path, optimizer: str
) -> None:
    settings = {"optimizer": optimizer, "scheduler": "cosine", "augment": "crop", "epochs": 2}
    train_alone(task(samples, tmp_path / "whole", **settings))
    broken = {**settings, "checkpoint_batches": 2, "keep": 10}
    train_alone(task(samples, tmp_path / "broken", **broken))
    storage = Storage(tmp_path / "broken")
    for name in checkpoint_names(storage):
        if name > "step-00000008":  # the second epoch's batch 2 of 6 is the newest
            storage.remove(name)
    assert read_state(storage, "step-00000008")["position"] == {"epoch": 1, "batch": 2, "step": 8}
    history = train_alone(task(samples, tmp_path / "broken", **broken))
    assert last(tmp_path / "broken") == last(tmp_path / "whole")
    assert [one["samples"] for one in history] == [24, 24]


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("plain_network")
def test_two_workers_give_the_losses_of_one(samples: Path, tmp_path: Path) -> None:
    one = train_alone(task(samples, tmp_path / "one", **PLAIN))
    work = task(samples, tmp_path / "two", **PLAIN)
    (tmp_path / "task.json").write_text(work.to_json(), "utf-8")
    assert run_workers(tmp_path, 2) == []
    two = trained(tmp_path)
    assert [epoch["workers"] for epoch in two] == [2, 2, 2]
    assert [epoch["samples"] for epoch in two] == [24, 24, 24]
    for alone, both in zip(one, two, strict=True):
        assert both["loss"] == pytest.approx(alone["loss"], rel=1e-4)
        assert both["validation_loss"] == pytest.approx(alone["validation_loss"], rel=1e-4)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("plain_network")
def test_workers_may_change_from_two_to_one_to_two_after_kills_in_an_epoch(
    samples: Path, tmp_path: Path
) -> None:
    unbroken = train_alone(task(samples, tmp_path / "alone", **PLAIN))
    work = task(samples, tmp_path / "checkpoints", checkpoint_batches=2, **PLAIN)
    (tmp_path / "task.json").write_text(work.to_json(), "utf-8")
    first, second = run_workers(tmp_path, 2, stop="0.3.1")
    assert "WORKER_LOST: another worker of this run ended" in first
    (third,) = run_workers(tmp_path, 1, stop="1.3.0")
    assert [text.partition(":")[0] for text in (second, third)] == ["-9", "-9"]
    assert not (tmp_path / "history.json").exists()
    assert run_workers(tmp_path, 2) == []
    history = trained(tmp_path)
    assert [epoch["samples"] for epoch in history] == [24, 24, 24]
    assert [epoch["workers"] for epoch in history] == [1, 2, 2]
    for one, other in zip(unbroken, history, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-3)


def test_a_sample_that_no_worker_trains_on_is_found(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sightline.train import loop

    monkeypatch.setattr(loop, "share", lambda batch, rank, workers: batch[1:])
    with pytest.raises(SightlineError, match=r"^SAMPLES_LOST: epoch 1 trained on 18 samples"):
        train_alone(task(samples, tmp_path))


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_checkpoint(
    samples: Path, tmp_path: Path
) -> None:
    train_alone(task(samples, tmp_path, epochs=1))
    names = checkpoint_names(Storage(tmp_path))
    with pytest.raises(SightlineError, match=r"^LOSS_NOT_FINITE: the loss is nan in epoch 2, "):
        train_alone(task(samples, tmp_path, epochs=3, learning_rate=1e30))
    assert checkpoint_names(Storage(tmp_path)) == names


def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_is_used(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_alone(task(samples, tmp_path))
    storage = Storage(tmp_path)
    older, newest = checkpoint_names(storage)[-2:]
    file = tmp_path / newest / MODEL_FILE
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    found = read_newest(storage)
    assert found is not None
    assert found.name == older
    assert f"{newest}: {MODEL_FILE} has another sha256" in capsys.readouterr().err
    with pytest.raises(SightlineError, match=r"^CHECKPOINT_CORRUPT: "):
        read_checkpoint(storage, newest)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"architecture": "timm:test_vit"},
            "was trained with --architecture timm:test_convnext, and",
        ),
        ({"seed": 4}, "was trained with --seed 0, and --seed is 4. Resume with 0, or start"),
        ({"batch_size": 8}, "was trained with --batch-size 4, and --batch-size is 8"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(
    samples: Path, tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    train_alone(task(samples, tmp_path, epochs=1))
    with pytest.raises(WrongUseError) as raised:
        train_alone(task(samples, tmp_path, **changed))
    assert raised.value.code == "CHECKPOINT_MISMATCH"
    assert message in raised.value.message


def test_checkpoints_hold_tensors_and_json_and_nothing_to_unpickle(
    samples: Path, tmp_path: Path
) -> None:
    train_alone(task(samples, tmp_path, epochs=1))
    (name,) = checkpoint_names(Storage(tmp_path))
    assert sorted(file.name for file in (tmp_path / name).iterdir()) == [
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]
    moments = safetensors.torch.load_file(tmp_path / name / OPTIMIZER_FILE)
    assert moments["0.step"] == torch.tensor(6.0)
    assert "0.exp_avg" in moments


def test_a_disk_without_space_for_the_checkpoints_is_an_error_before_the_training(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 10 * 2**20})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(SightlineError, match=r"^DISK_FULL: 5 checkpoints of 207323 param"):
        train_alone(task(samples, tmp_path))


def test_a_disk_that_fills_up_ends_the_run_and_keeps_complete_checkpoints(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Storage.store

    def full(self: Storage, local: Path, name: str) -> None:
        if self.root.endswith("step-00000012"):
            raise OSError(28, "No space left on device")
        store(self, local, name)

    monkeypatch.setattr(Storage, "store", full)
    with pytest.raises(SightlineError, match=r"^CHECKPOINT_FAILED: .*No space left on device"):
        train_alone(task(samples, tmp_path))
    assert checkpoint_names(Storage(tmp_path)) == ["step-00000006"]


def test_a_run_that_another_process_has_taken_over_writes_nothing_more(
    samples: Path, tmp_path: Path
) -> None:
    work = task(samples, tmp_path, keep=9)

    def take_over(record: EpochRecord) -> None:
        if record.epoch == 2:
            other = '{"host": "elsewhere", "process": 7}'
            (tmp_path / OWNER_FILE).write_text(other, "utf-8")

    group = ProcessGroup(0, 1, torch.device("cpu"))
    message = rf"^RUN_TAKEN_OVER: process 7 on elsewhere has taken over the run {tmp_path}, "
    with pytest.raises(WrongUseError, match=message):
        run_worker(work, group, take_over)
    # The checkpoint of the second epoch may have been written before; that of the third is not.
    assert set(checkpoint_names(Storage(tmp_path))) - {"step-00000012"} == {"step-00000006"}

    given = {"output": str(tmp_path), "owner": OWNER, "name": "colours", "threads": 1}
    given |= {"settings": work.settings, "checkpoints": str(tmp_path), "history": []}
    given |= {"cache": str(tmp_path / "cache"), "cache_bytes": 10**9}
    with pytest.raises(WrongUseError, match=r"^RUN_TAKEN_OVER: "):
        finish(given)
    assert not (tmp_path / "models").exists()


def test_bf16_trains_and_fp16_needs_cuda(samples: Path, tmp_path: Path) -> None:
    (record,) = train_alone(task(samples, tmp_path / "bf16", epochs=1, precision="bf16"))
    assert record["loss"] < 2
    with pytest.raises(WrongUseError, match=r"^UNSUPPORTED_PRECISION: --precision fp16 trains on"):
        train_alone(task(samples, tmp_path / "fp16", precision="fp16"))


def test_checkpoints_may_be_in_a_remote_store(samples: Path, tmp_path: Path) -> None:
    train_alone(task(samples, tmp_path, epochs=1))
    local = Storage(tmp_path)
    (name,) = checkpoint_names(local)
    written = read_checkpoint(local, name)
    remote = remote_storage("s3://train-test/checkpoints")
    save_checkpoint(remote, written.state, written.model, written.optimizer)
    assert checkpoint_names(remote) == [name]
    found = read_checkpoint(remote, name)
    assert found.state == written.state
    assert all(torch.equal(value, found.model[key]) for key, value in written.model.items())
    prune(remote, 1, "")
    assert checkpoint_names(remote) == [name]
    (remote / name).remove("state.json")
    assert checkpoint_names(remote) == []


def test_a_batch_of_one_image_that_batch_normalisation_cannot_train_on_is_an_error(
    samples: Path, tmp_path: Path
) -> None:
    work = task(samples, tmp_path, architecture="timm:test_efficientnet", batch_size=23, epochs=1)
    with pytest.raises(WrongUseError, match=r"^BATCH_TOO_SMALL: .*Change --batch-size"):
        train_alone(work)
