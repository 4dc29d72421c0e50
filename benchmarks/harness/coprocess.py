"""A program that is started once and runs jobs, one per line of its input; each is measured."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from harness.errors import BenchError
from harness.process_tree import PeakMemory, ProcessTree, kill
from harness.usage import Usage

ANSWER = "@ "
# Variables that would change a result are not passed on.
_REMOVED_VARIABLES = ("PYSPARK_", "SPARK_", "SIGHTLINE_", "PYTHONPATH", "OMP_", "MALLOC_")
_JOB_SECONDS = 900.0
_CLOSE_SECONDS = 20.0


@dataclass(frozen=True)
class Program:
    """How to start a program.

    Args:
        name: Name in messages and of the log.
        command: Program and arguments.
        environment: Variables added to the cleaned environment of this process.
        ready: ``announced``: the program prints ``@ {"ready": …}`` when it can read jobs;
            ``at_once``: it prints nothing before its first answer.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Literal["announced", "at_once"] = "announced"


class Coprocess:
    """A running `Program`. Leaving the context ends it and all of its descendants.

    Args:
        program: The program to start.
        log: File for its standard error, and for output lines that are no answers.

    Raises:
        BenchError: BENCH_PROGRAM_FAILED if the program ends before it is ready.
    """

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self._log_path = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("w", encoding="utf-8")
        self.started = time.perf_counter()
        reaper = str(Path(__file__).with_name("reaper.py"))
        self._process = subprocess.Popen(  # noqa: S603 - the benchmark's own programs
            [sys.executable, "-I", "-S", reaper, *program.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env=_environment(program.environment),
        )
        self.tree = ProcessTree(self._process.pid)
        if program.ready == "announced":
            try:
                self._answer()
            except BenchError:
                self.close()
                raise

    @property
    def alive(self) -> bool:
        """Whether the program is running. It may outlive a failed job."""
        return self._process.poll() is None

    def ask(
        self, request: str, images: int, limit_s: float = _JOB_SECONDS
    ) -> tuple[Usage, dict[str, Any]]:
        """Run one job.

        Args:
            request: The line for the program.
            images: Number of images of the job.
            limit_s: Seconds after which the program is killed, and the job has failed.

        Returns:
            The resources that the job used, and the program's answer.

        Raises:
            BenchError: BENCH_PROGRAM_FAILED if the program ends, exceeds the limit or reports an
                error.
        """
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        before, start = self.tree.cpu_seconds(), time.perf_counter()
        with PeakMemory(self.tree) as peak:
            try:
                self._process.stdin.write(request + "\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                raise self._failed("the program ended") from None
            answer = self._answer(limit_s)
            wall = time.perf_counter() - start
        after = self.tree.cpu_seconds()
        by_kind = {kind: after[kind] - before.get(kind, 0.0) for kind in after}
        usage = Usage(images, sum(by_kind.values()), wall, peak.mib, by_kind)
        if answer.get("error") or answer.get("status", 0) != 0:
            raise self._failed(str(answer.get("error") or f"status {answer['status']}"))
        return usage, answer

    def since_start(self, first: Usage) -> Usage:
        """Return what the program used since its start; call this after its first job."""
        by_kind = self.tree.cpu_seconds()
        wall = time.perf_counter() - self.started
        return Usage(first.images, sum(by_kind.values()), wall, first.peak_mib, by_kind)

    def close(self) -> None:
        """Close the program's input, wait up to 20 seconds, then kill all that still runs."""
        everything = self.tree.processes()  # later, orphans could not be found any more
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(_CLOSE_SECONDS)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            pass
        finally:
            kill([*everything, *self.tree.processes()])
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self, limit_s: float = _JOB_SECONDS) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        limit = threading.Timer(limit_s, lambda: kill(self.tree.processes()))
        limit.daemon = True  # an interruption may leave it running; this process must still end
        try:
            limit.start()
            for line in self._process.stdout:
                if line.startswith(ANSWER):
                    self._log.flush()
                    answer: dict[str, Any] = json.loads(line[len(ANSWER) :])
                    return answer
                self._log.write(line)
        finally:
            limit.cancel()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_SECONDS)
        raise self._failed("the program ended")

    def _failed(self, why: str) -> BenchError:
        """Return an error with the last line of the log, or the last of Sightline's own errors."""
        self._log.flush()
        lines = self._log_path.read_text("utf-8", "replace").splitlines()
        own = [line for line in lines if line.startswith("sightline: ")]
        last = (own or [line for line in lines if line.strip()] or ["its log is empty"])[-1]
        return BenchError(
            "BENCH_PROGRAM_FAILED",
            f"{self.program.name}: {why}: {last.strip()[:300]} "
            f"(the whole log: logs/{self._log_path.name})",
        )


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, cleaned, with the programs of its Python on the PATH."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_REMOVED_VARIABLES)
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **more}
