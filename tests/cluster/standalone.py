"""A real standalone cluster on this machine: one master, and workers with fake GPUs."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

TASK = re.compile(
    r"sightline: stage (\d+), partition (\d+), attempt (\d+): gpu (\S+), model on (\S+), "
    r"process (\d+)"
)


@dataclass(frozen=True)
class GpuTask:
    """A task of a model, as its worker wrote it to the executor's log."""

    executor: str
    stage: int
    partition: int
    attempt: int
    address: str
    device: str
    process: int


class StandaloneCluster:
    """A master and workers, each a process of this machine; the addresses of their GPUs are fake.

    Args:
        spark_class: Spark's program `spark-class`.
        environment: The environment of its processes, and so of the executors.
        folder: Receives the workers' folders with the logs of executors.
        workers: The addresses of each worker's GPUs.
        cores: Cores of each worker.
    """

    def __init__(
        self,
        spark_class: Path,
        environment: dict[str, str],
        folder: Path,
        workers: list[list[str]],
        cores: int,
    ) -> None:
        self.folder = folder
        self._spark_class = spark_class
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            port = self._start("master", "org.apache.spark.deploy.master.Master", {}, ())
            self.master = f"spark://localhost:{port}"
            for number, addresses in enumerate(workers):
                script = folder / f"discovery{number}.sh"
                found = json.dumps({"name": "gpu", "addresses": addresses})
                script.write_text(f"#!/bin/sh\necho '{found}'\n")
                script.chmod(0o755)
                gpus = "-Dspark.worker.resource.gpu."
                self._start(
                    f"worker{number}",
                    "org.apache.spark.deploy.worker.Worker",
                    {
                        "SPARK_WORKER_OPTS": f"{gpus}amount={len(addresses)} "
                        f"{gpus}discoveryScript={script}"
                    },
                    ("--cores", str(cores), "--memory", "3g", "-d", str(folder / f"work{number}")),
                    self.master,
                )
        except BaseException:
            self.close()
            raise

    def _start(
        self,
        name: str,
        main: str,
        variables: dict[str, str],
        options: tuple[str, ...],
        *last: str,
    ) -> int:
        """Start a daemon, and return its port when it answers."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603 - Spark's own program
                [str(self._spark_class), main, "--host", "localhost", "--port", "0",
                 "--webui-port", "0", *options, *last],
                env=self._environment | variables,
                stdout=file,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._processes.append(process)
        ready = r"Successfully registered with master" if last else r"I have been elected leader"
        service = "sparkWorker" if last else "sparkMaster"
        deadline = time.monotonic() + 60
        while not re.search(ready, text := log.read_text()):
            assert process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        port = re.search(rf"Successfully started service '{service}' on port (\d+)", text)
        assert port, text
        return int(port[1])

    def gpu_tasks(self, application: str) -> list[GpuTask]:
        """Return the tasks of models with a GPU, from the executors' logs."""
        return [
            GpuTask(log.parent.name, int(a), int(b), int(c), d, e, int(f))
            for log in sorted(self.folder.glob(f"work*/{application}/*/stderr"))
            for a, b, c, d, e, f in TASK.findall(log.read_text())
        ]

    def kill_executor(self, application: str, executor: str) -> None:
        """Kill the process of an executor, as a node that is lost."""
        options = (("--app-id", application), ("--executor-id", executor))
        found = []
        for daemon in self._processes:
            for one in psutil.Process(daemon.pid).children(recursive=True):
                # A process may end while this reads them.
                with contextlib.suppress(psutil.NoSuchProcess):
                    words = one.cmdline()
                    if all(option in pairwise(words) for option in options):
                        found.append(one)
        assert found, executor
        # A JVM that is just starting a Python daemon is there twice.
        for one in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def close(self) -> None:
        """End all processes."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(30)
