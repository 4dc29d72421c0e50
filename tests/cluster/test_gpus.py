"""Tasks of models on a standalone cluster with fake GPUs; the models themselves run on the CPU."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .standalone import GpuTask, StandaloneCluster

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
Run = Callable[..., Done]
pytestmark = pytest.mark.timeout(300)
ONE_GPU = {"3", "5", "6", "7"}


class Application:
    """An application of the cluster that runs commands, with its event log."""

    def __init__(self, cluster: StandaloneCluster, run: Run, events: Path) -> None:
        self.cluster = cluster
        self.run = run
        self._events = events

    @property
    def id(self) -> str:
        (log,) = self._events.iterdir()
        return log.name.removesuffix(".inprogress")

    def events(self, kind: str) -> list[Row]:
        """Return Spark's events of one kind so far."""
        (log,) = self._events.iterdir()
        found = [json.loads(line) for line in log.read_text().splitlines()]
        return [one for one in found if one["Event"] == f"SparkListener{kind}"]

    def gpu_tasks(self) -> list[GpuTask]:
        tasks = self.cluster.gpu_tasks(self.id)
        for task in tasks:
            print(task)  # noqa: T201 - `pytest -s` shows the addresses that each task saw
        return tasks

    def profiles(self) -> dict[int, int]:
        """Return the resource profile of each stage so far; 0 is that of the application."""
        stages = [one["Stage Info"] for one in self.events("StageSubmitted")]
        return {one["Stage ID"]: one["Resource Profile Id"] for one in stages}

    def most_at_once(self, stages: set[int]) -> dict[str, int]:
        """Return the most tasks of the stages that ran at the same time, by executor."""
        changes: list[tuple[int, int, str]] = []
        for one in self.events("TaskEnd"):
            info = one["Task Info"]
            if one["Stage ID"] in stages:
                changes += [(info["Launch Time"], 1, info["Executor ID"])]
                changes += [(info["Finish Time"], -1, info["Executor ID"])]
        now, most = Counter[str](), Counter[str]()
        for _, change, executor in sorted(changes):
            now[executor] += change
            most[executor] = max(most[executor], now[executor])
        return dict(most)


@pytest.fixture(scope="module")
def start(
    cluster: StandaloneCluster,
    start_application: Callable[..., Run],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Application]:
    def call(*settings: str) -> Application:
        events = tmp_path_factory.mktemp("events")
        words = [
            *("spark.executor.cores=4", "spark.executor.memory=512m", "spark.cores.max=8"),
            *("spark.eventLog.enabled=true", f"spark.eventLog.dir=file:{events}"),
            *("spark.eventLog.rolling.enabled=false", "spark.eventLog.compress=false"),
            *("spark.sql.shuffle.partitions=4", "spark.scheduler.minRegisteredResourcesRatio=1"),
            *settings,
        ]
        confs = [word for one in words for word in ("--conf", one)]
        run = start_application("--master", cluster.master, *confs)
        return Application(cluster, run, events)

    return call


@pytest.fixture(scope="module")
def application(start: Callable[..., Application]) -> Application:
    """Two executors with four cores and one GPU each."""
    return start("spark.executor.resource.gpu.amount=1")


@pytest.fixture(scope="module")
def many(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of paths with 8000 rows: 600 of each file of the gallery and more."""
    table = tmp_path_factory.mktemp("many") / "paths.csv"
    files = sorted(path for path in gallery.glob("*/*.*") if not path.name.startswith("e%"))[:8]
    table.write_text("path\n" + "".join(f'"{path}"\n' for path in files * 1000))
    return table


def test_four_quarter_tasks_share_the_gpu_of_their_executor(
    application: Application,
    colour_bundle: Path,
    many: Path,
    tmp_path: Path,
) -> None:
    done = application.run(
        *("predict", "--images", many, "--model", colour_bundle, "--output", tmp_path / "out"),
        *("--device", "cpu", "--gpus-per-task", "0.25"),
    )
    assert done.returncode == 0, done.stderr
    tasks = application.gpu_tasks()
    addresses = {
        executor: {task.address for task in tasks if task.executor == executor}
        for executor in {task.executor for task in tasks}
    }
    assert len(addresses) == 2
    assert sorted(map(len, addresses.values())) == [1, 1]
    assert set().union(*addresses.values()) in ({"3", "5"}, {"3", "6"}, {"3", "7"})
    assert {task.device for task in tasks} == {"cpu"}
    profiles = application.profiles()
    print(profiles, application.most_at_once({task.stage for task in tasks}))
