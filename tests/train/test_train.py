"""`train` of the jar: the workers of one training are tasks of a barrier stage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.functions import count
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(900)

# A network of 0.7 million parameters.
TINY = ("--architecture", "torchvision:squeezenet1_1", "--weights", "none", "--image-size", "64")
SMALL_STEPS = ("--batch-size", "16", "--learning-rate", "1e-4")
CLASSES = ("daisy", "dandelion", "roses")
EPOCHS = 24
# Short JVMs: one compiler, one collector.
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture(scope="module")
def flowers(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty photographs of each of three classes."""
    folder = tmp_path_factory.mktemp("flowers")
    for label in CLASSES:
        (folder / label).mkdir()
        for path in sorted((shared / "flowers/dev/train" / label).glob("*.jpg"))[:20]:
            shutil.copy(path, folder / label)
    return folder


@pytest.fixture
def start(jar: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """``start("local[2]", "train", …)``: an application, with its messages in stderr.txt."""
    home = Path(__file__).resolve().parents[2]
    started = []

    def call(master: str, *arguments: object) -> subprocess.Popen[bytes]:
        settings = ("spark.ui.enabled=false", f"spark.executor.extraJavaOptions={JVM}")
        options = ("--master", master, *(word for one in settings for word in ("--conf", one)))
        path = f"{home / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        variables = {"PATH": path, "SPARK_SUBMIT_OPTS": JVM}
        kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        with (tmp_path / "stderr.txt").open("wb") as stderr:
            process = subprocess.Popen(  # noqa: S603 - the repository's own program
                [home / ".venv/bin/spark-submit", *options, jar, *map(str, arguments)],
                env=kept | variables,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.wait()


def history_of(run: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads((run / "history.json").read_text("utf-8"))
    return records


def scalars(folder: Path) -> dict[str, list[tuple[int, Any]]]:
    """The steps and values of each tag, as TensorBoard reads them."""
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    found.Reload()
    tags: list[str] = found.Tags()["scalars"]
    return {tag: [(one.step, one.value) for one in found.Scalars(tag)] for tag in tags}


def newest_step(run: Path) -> int:
    """The optimizer's steps before the newest checkpoint, 0 without one."""
    states = (run / "checkpoints").glob("step-*/state.json")
    return max((int(path.parent.name.rpartition("-")[2]) for path in states), default=0)


def wait_for_step(run: Path, step: int, process: subprocess.Popen[bytes]) -> None:
    while newest_step(run) < step:
        assert process.poll() is None, "the run ended before it was killed"
        time.sleep(0.05)


def python_workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The Python processes of the application that run tasks: children of Spark's daemon."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if all("pyspark.daemon" in one.cmdline() for one in (child, child.parent() or child)):
                found.append(child)
        except psutil.Error:  # It ended in the meantime.
            continue
    return found


def test_training_continues_after_a_killed_worker_and_after_a_killed_driver(
    start: Callable[..., subprocess.Popen[bytes]],
    run_command: Callable[..., Done],
    spark: SparkSession,
    flowers: Path,
    tmp_path: Path,
) -> None:
    run, models = tmp_path / "run", tmp_path / "models"
    command = ("train", "--images", flowers, *TINY, *SMALL_STEPS, "--epochs", EPOCHS)
    saving = ("--checkpoint-every", 5, "--checkpoint-batches", 2)
    names = ("--register", "tiny", "--models", models, "--output", run)
    options = (*command, *saving, *names, "--workers", 2, "--tensorboard", "auto")
    # Two executors, each a process with one core.
    process = start("local-cluster[2,1,1024]", *options)
    wait_for_step(run, 8, process)
    workers = python_workers(process)
    assert len(workers) == 2
    workers[1].kill()
    at_kill = newest_step(run)
    # At least an epoch more, in new processes.
    wait_for_step(run, at_kill + 5, process)
    assert workers[1].pid not in {one.pid for one in python_workers(process)}
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "history.json").exists()

    done = run_command("train", "--resume", "--output", run, "--workers", 1)
    assert done.returncode == 0, done.stderr
    records = history_of(run)
    assert [record["epoch"] for record in records] == list(range(1, EPOCHS + 1))
    assert {record["samples"] for record in records} == {48}
    # Three batches of 16 an epoch: no step is lost and none is repeated.
    assert [record["step"] for record in records] == list(range(3, 3 * EPOCHS + 1, 3))
    assert [records[0]["workers"], records[-1]["workers"]] == [2, 1]
    assert f"epoch {EPOCHS}: loss {records[-1]['loss']:.4f}" in done.stderr
    assert "samples    train 48, validation 6, test 6" in done.stdout
    assert "registered tiny version 1" in done.stdout
    # The curves of three processes are one: each step once.
    curves = scalars(run / "tensorboard" / "steps")["step/loss"]
    assert [step for step, _ in curves] == list(range(1, 3 * EPOCHS + 1))
    losses = scalars(run / "tensorboard" / "epochs")["epoch/loss"]
    assert losses == [(one["epoch"], pytest.approx(one["loss"], rel=1e-6)) for one in records]

    spark.conf.set("spark.sightline.models", str(models))
    images = spark.sql("SELECT * FROM read_images(:folder)", {"folder": str(flowers)})
    predicted = images.selectExpr("label", "ml_predict('tiny', content) AS prediction")
    counts = predicted.groupBy("label").agg(count("*"), count("prediction.label"))
    rows = counts.orderBy("label").collect()
    spark.conf.unset("spark.sightline.models")
    assert [tuple(row) for row in rows] == [(label, 20, 20) for label in CLASSES]


def test_an_error_of_the_training_is_one_line_and_the_run_continues_with_other_settings(
    start: Callable[..., subprocess.Popen[bytes]],
    run_command: Callable[..., Done],
    flowers: Path,
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    command = ("train", "--images", flowers, *TINY, "--batch-size", 16, "--optimizer", "sgd")
    settings = ("--epochs", 3, "--checkpoint-every", 1, "--workers", 2, "--output", run)
    done = run_command(*command, *settings, "--learning-rate", 1e30)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("sightline: ")]
    assert len(lines) == 1
    assert lines[0].startswith("sightline: LOSS_NOT_FINITE: the loss is ")
    assert "Traceback" not in done.stderr
    prepared = (run / "samples" / "index.json").stat().st_mtime_ns

    # The samples are used again. No checkpoint has the old learning rate.
    done = run_command("train", "--resume", "--output", run, "--learning-rate", 0.01)
    assert done.returncode == 0, done.stderr
    assert (run / "samples" / "index.json").stat().st_mtime_ns == prepared
    records = history_of(run)
    assert [(one["samples"], one["workers"]) for one in records] == [(48, 2)] * 3
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["counts"] == {"train": 48, "validation": 6, "test": 6}
    assert record["history"] == records

    # A checkpoint of this run does not continue with another network.
    done = run_command("train", "--resume", "--output", run, "--image-size", 96)
    assert done.returncode == 2
    assert "sightline: CHECKPOINT_MISMATCH: step-00000009 was trained with" in done.stderr

    # Spark repeats no barrier stage that returns results, so the command does.
    process = start("local[2]", "train", "--resume", "--output", run, "--epochs", 4)
    while process.poll() is None:
        for worker in python_workers(process):
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        time.sleep(0.05)
    messages = (tmp_path / "stderr.txt").read_text("utf-8").splitlines()
    ours = [line for line in messages if line.startswith("sightline: ")]
    again = "sightline: a worker ended; the training continues from the newest checkpoint."
    assert ours[:2] == [again, again]
    assert ours[2].startswith("sightline: WORKER_LOST: workers of this run ended 3 times")
    assert len(ours) == 3
    assert process.returncode == 1


def test_a_wrong_network_and_unreadable_images_end_the_run_before_the_training(
    run_command: Callable[..., Done], flowers: Path, tmp_path: Path
) -> None:
    command = ("train", "--images", flowers, "--output", tmp_path / "run")
    done = run_command(*command, "--architecture", "torchvision:resnet51")
    assert done.returncode == 2
    assert "sightline: UNKNOWN_ARCHITECTURE: " in done.stderr
    assert not (tmp_path / "run").exists()

    images = shutil.copytree(flowers, tmp_path / "images")
    for number in range(3):
        (images / "roses" / f"bad{number}.jpg").write_bytes(b"no image")
    done = run_command("train", "--images", images, "--output", tmp_path / "run", *TINY)
    assert done.returncode == 1
    assert "sightline: MAX_ERROR_RATE_EXCEEDED: 3 of 63 images cannot be read" in done.stderr
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_the_error_of_one_worker_is_reported_and_not_that_the_others_lost_it(
    run_command: Callable[..., Done], flowers: Path, tmp_path: Path
) -> None:
    # The last batch has 3 samples: two for the first worker, and one for the second.
    network = ("--architecture", "torchvision:resnet18", "--weights", "none", "--image-size", 32)
    command = ("train", "--images", flowers, *network, "--batch-size", 45, "--epochs", 1)
    done = run_command(*command, "--workers", 2, "--output", tmp_path / "run")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("sightline: ")]
    assert [line.split(":")[1] for line in lines] == [" BATCH_TOO_SMALL"]
