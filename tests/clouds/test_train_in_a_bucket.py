"""The program of examples/imagenet against a local bucket, with kills in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from .stores import KEYS, NO_MACHINE, Store

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("daisy", "roses", "tulips")
EPOCHS = 8
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def flowers(gcs: Store, shared: Path) -> Iterator[str]:
    """20 training and 5 test photographs of each of three classes: the URI of their folder."""
    for part, count in (("train", 20), ("test", 5)):
        for label in CLASSES:
            files = sorted((shared / "flowers/dev" / part / label).glob("*.jpg"))[:count]
            for file in files:
                gcs.write(f"gallery/flowers/{part}/{label}/{file.name}", file.read_bytes())
    yield gcs.uri("gallery/flowers")
    for folder in ("flowers", "run", "models"):
        gcs.remove(f"gallery/{folder}")


def newest_step(store: Store) -> int:
    names = store.names("gallery/run/checkpoints")
    states = [name for name in names if name.endswith("/state.json")]
    return max((int(name.partition("/")[0].rpartition("-")[2]) for name in states), default=0)


def descendants(process: subprocess.Popen[str], *words: str) -> list[psutil.Process]:
    """The processes below one whose command has all the words."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for one in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                command = " ".join(one.cmdline())
                if all(word in command for word in words):
                    found.append(one)
    return found


def wait_for(store: Store, step: int, process: subprocess.Popen[str]) -> None:
    while newest_step(store) < step:
        assert process.poll() is None, "the program ended before it was killed"
        time.sleep(0.1)


def read(store: Store, name: str) -> Any:  # noqa: ANN401
    return json.loads(store.read(f"gallery/run/{name}"))


def test_a_training_in_a_bucket_survives_the_kills_of_a_worker_and_of_the_driver(
    gcs: Store, flowers: str, connectors: str, jar: Path, shared: Path
) -> None:
    assert jar.is_file()
    weights = shared / "weights/mobilenet_v2_1.0_224.torchvision.safetensors"
    spark = f"--master local-cluster[2,1,1024] --conf spark.ui.enabled=false --jars {connectors}"
    words = [flowers, gcs.uri("gallery/run"), gcs.uri("gallery/models"), *gcs.options]
    words += ["--weights", str(weights), "--image-size", "64", "--epochs", str(EPOCHS)]
    words += ["--batch-size", "10", "--keep", "2"]
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(  # noqa: S603 - the repository's own program
        [str(ROOT / "examples/imagenet/small.sh"), *words],
        env=kept | KEYS | NO_MACHINE | {"PATH": path, "SPARK": spark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for(gcs, 6, process)
            workers = descendants(process, "pyspark.daemon")
            max(workers, key=lambda one: one.cpu_times().user).send_signal(signal.SIGKILL)
            wait_for(gcs, newest_step(gcs) + 12, process)
            (driver,) = descendants(process, "SparkSubmit", " train ")
            driver.send_signal(signal.SIGKILL)
            printed, errors = process.communicate(timeout=600)
        finally:
            for one in descendants(process, ""):
                one.kill()
            process.kill()
    assert process.returncode == 0, errors[-3000:]
    assert "a worker ended; the training continues from the newest checkpoint" in errors
    assert "The run has failed. It continues from its newest checkpoint." in errors
    resumed = errors.partition("The run has failed.")[2]
    assert "epoch 1:" not in resumed  # from the checkpoint, and not from the start
    assert "epoch 1/" not in resumed
    history = read(gcs, "history.json")
    assert [one["epoch"] for one in history] == list(range(1, EPOCHS + 1))
    assert [one["samples"] for one in history] == [54] * EPOCHS
    measures = read(gcs, "evaluation.json")
    right = round(measures["backends"]["onnx"]["top1"] * 15)
    assert measures["part"] == "test"
    assert right >= 8  # 5 by chance
    assert f"15,{right}" in printed.replace(" ", "").replace("|", ",")
    names = gcs.names("gallery/run")
    assert {"report.html", "model_card.md", "run.json", "train.yaml"} <= set(names)
    assert "models/flowers_small/model.json" in names
    assert "flowers_small@000001.json" in gcs.names("gallery/models/_models")
