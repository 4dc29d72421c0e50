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


@pytest.fixture(scope="module")
def start(
    cluster: StandaloneCluster,
    start_application: Callable[..., Run],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Application]:
    def call(*settings: str) -> Application:
        events = tmp_path_factory.mktemp("events")
        words = [
            *("spark.executor.cores=4", "spark.executor.memory=512m"),
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
    started = start("spark.cores.max=8", "spark.executor.resource.gpu.amount=1")
    done = started.run(
        "sql", "--execute", "SELECT 1"
    )  # An application starts with its first command.
    assert done.returncode == 0, done.stderr
    return started


@pytest.fixture(scope="module")
def many(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 1200 paths of the gallery."""
    table = tmp_path_factory.mktemp("many") / "paths.csv"
    files = sorted(gallery.glob("*/[abcf]*.*"))[:4]
    table.write_text("path\n" + "".join(f'"{path}"\n' for path in files * (1200 // len(files))))
    return table


def by_executor(tasks: list[GpuTask], what: str) -> dict[str, set[Any]]:
    return {
        executor: {getattr(task, what) for task in tasks if task.executor == executor}
        for executor in {task.executor for task in tasks}
    }


def predict(application: Application, images: Path, model: Path, out: Path, *options: str) -> Done:
    words = ("predict", "--images", images, "--model", model, "--output", out, *options)
    return application.run(*words)


CPU = ("--device", "cpu")


def test_four_quarter_tasks_share_the_gpu_of_their_executor(
    application: Application, colour_bundle: Path, many: Path, tmp_path: Path
) -> None:
    done = predict(
        application, many, colour_bundle, tmp_path / "out", *CPU, "--gpus-per-task", "0.25"
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out/_run/run.json").read_text("utf-8"))
    assert record["task"] == {"gpus": 0.25, "cpus": 1}
    tasks = application.gpu_tasks()
    addresses = by_executor(tasks, "address")
    assert all(len(some) == 1 for some in addresses.values()), addresses
    assert set().union(*addresses.values()) <= {"3", "5"}
    # Spark starts a worker process for a task only if all others are busy.
    assert max(len(some) for some in by_executor(tasks, "process").values()) == 4
    assert {task.device for task in tasks} == {"cpu"}
    # The stages of the listing and the counts have the application's resources.
    with_model = {task.stage for task in tasks}
    profiles = application.profiles()
    assert {stage for stage, profile in profiles.items() if profile != 0} == with_model
    assert len(profiles) > len(with_model)


def test_calls_in_sql_have_gpus_and_the_other_stages_have_not(
    application: Application, colour_bundle: Path, gallery: Path
) -> None:
    before = set(application.profiles())
    options = "map('device', 'cpu', 'gpus_per_task', '1')"
    query = f"""
        SELECT p.label AS label, count(*) AS n
        FROM (SELECT ml_predict('{colour_bundle}', content, {options}) AS p
              FROM read_images('{gallery}'))
        WHERE p.error IS NULL GROUP BY 1
        UNION ALL
        SELECT prediction.label, count(*)
        FROM ml_predict(TABLE(SELECT * FROM read_images('{gallery}')), '{colour_bundle}', {options})
        WHERE error IS NULL GROUP BY 1
        ORDER BY 1, 2"""  # noqa: S608 - the paths are the test's own
    # A line of `commands` is one command.
    done = application.run("sql", "--execute", " ".join(query.split()))
    assert done.returncode == 0, done.stderr
    print(done.stdout)  # noqa: T201
    tasks = [task for task in application.gpu_tasks() if task.stage not in before]
    profiles = {one: id_ for one, id_ in application.profiles().items() if one not in before}
    assert {stage for stage, profile in profiles.items() if profile != 0} == {
        task.stage for task in tasks
    }
    assert len({task.stage for task in tasks}) == 2
    assert 0 in profiles.values()


def test_the_device_of_a_task_is_its_address(
    application: Application, colour_bundle: Path, gallery: Path, tmp_path: Path
) -> None:
    done = predict(application, gallery, colour_bundle, tmp_path / "out", "--gpus-per-task", "1")
    assert done.returncode != 0
    assert "DEVICE_UNAVAILABLE: the task's GPU " in done.stderr
    assert any(f"the task's GPU {one} was requested" in done.stderr for one in "35"), done.stderr


def test_a_lost_executor_loses_no_row(
    application: Application,
    run_command: Run,
    colour_bundle: Path,
    many: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    before = set(application.gpu_tasks())
    with ThreadPoolExecutor() as threads:
        running = threads.submit(
            predict, application, many, colour_bundle, tmp_path / "out", *CPU,
            "--gpus-per-task", "1",
        )  # fmt: skip
        while not (new := set(application.cluster.gpu_tasks(application.id)) - before):
            assert not running.done(), running.result().stderr
            time.sleep(0.02)
        lost = new.pop()
        application.cluster.kill_executor(application.id, lost.executor)
        done = running.result()
    assert done.returncode == 0, done.stderr
    removed = [one["Executor ID"] for one in application.events("ExecutorRemoved")]
    assert lost.executor in removed
    # A new attempt of the task, or of its stage if the rows it reads were lost too.
    begun = Counter((one.stage, one.partition) for one in set(application.gpu_tasks()) - before)
    assert max(begun.values()) > 1
    alone = run_command(
        *("predict", "--images", many, "--model", colour_bundle, "--output", tmp_path / "local")
    )
    assert alone.returncode == 0, alone.stderr
    found = rows_of(tmp_path / "out")
    assert len(found) == 1200
    assert found == rows_of(tmp_path / "local")


def test_a_warm_worker_whose_next_task_has_another_gpu(
    start: Callable[..., Application],
    colour_bundle: Path,
    gallery: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    two = start("spark.cores.max=4", "spark.executor.resource.gpu.amount=2")
    moved: set[int] = set()
    outputs: list[list[Row]] = []
    for number in range(15):
        out = tmp_path / f"out{number}"
        done = predict(two, gallery, colour_bundle, out, *CPU, "--gpus-per-task", "1")
        assert done.returncode == 0, done.stderr
        outputs.append(rows_of(out))
        tasks = two.cluster.gpu_tasks(two.id)
        seen = {one: {t.address for t in tasks if t.process == one} for one in
                {t.process for t in tasks}}  # fmt: skip
        moved = {process for process, addresses in seen.items() if len(addresses) == 2}
        if moved:
            break
    assert moved, two.gpu_tasks()
    assert {task.address for task in two.gpu_tasks()} in ({"6", "7"}, {"5", "6"})
    assert all(rows == outputs[0] for rows in outputs)


def test_dynamic_allocation_starts_executors_for_the_model(
    start: Callable[..., Application], colour_bundle: Path, gallery: Path, tmp_path: Path
) -> None:
    dynamic = start(
        *("spark.dynamicAllocation.enabled=true", "spark.dynamicAllocation.maxExecutors=1"),
        *("spark.dynamicAllocation.shuffleTracking.enabled=true", "spark.cores.max=8"),
        "spark.executor.resource.gpu.amount=1",
    )
    done = predict(
        dynamic, gallery, colour_bundle, tmp_path / "out", *CPU, "--gpus-per-task", "0.5"
    )
    assert done.returncode == 0, done.stderr
    tasks = dynamic.gpu_tasks()
    added = {
        one["Executor ID"]: one["Executor Info"]["Resource Profile Id"]
        for one in dynamic.events("ExecutorAdded")
    }
    assert {added[task.executor] for task in tasks} == {1}
    assert {dynamic.profiles()[task.stage] for task in tasks} == {1}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ("--gpus-per-task", "0.5"),
            "TASK_RESOURCES_UNAVAILABLE: gpus-per-task 0.5 was requested, but the application's "
            "executors have no GPU: spark.executor.resource.gpu.amount is not set. Set --conf "
            "spark.executor.resource.gpu.amount=1 ",
        ),
        (
            ("--cpus-per-task", "5"),
            "TASK_RESOURCES_UNAVAILABLE: cpus-per-task 5 was requested, but an executor has 4 "
            "cores. Set --conf spark.executor.cores=5",
        ),
        (
            ("--device", "cuda"),
            "DEVICE_UNAVAILABLE: cuda was requested, but the tasks of this application have no "
            "GPU. Set gpus-per-task",
        ),
    ],
)
def test_what_the_executors_do_not_have_is_an_error_before_any_task(
    without_gpus: Application,
    colour_bundle: Path,
    gallery: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    error: str,
) -> None:
    done = predict(without_gpus, gallery, colour_bundle, tmp_path / "out", *options)
    assert done.returncode == 2
    assert f"sightline: {error}" in done.stderr
    assert without_gpus.events("TaskStart") == []


@pytest.fixture(scope="module")
def without_gpus(start: Callable[..., Application]) -> Application:
    return start("spark.cores.max=4", "spark.scheduler.minRegisteredResourcesRatio=0")
