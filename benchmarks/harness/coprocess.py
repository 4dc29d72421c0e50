"""A program that is started once and given jobs, one a line; each is measured."""

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

from harness.figures import Usage
from harness.process_tree import PeakMemory, ProcessTree, kill
from sightline.errors import SightlineError

ANSWER = "@ "
_OURS = ("PYSPARK_", "SPARK_", "SIGHTLINE_", "PYTHONPATH", "OMP_", "MALLOC_")
_JOB_SECONDS = 900.0
_CLOSE_SECONDS = 20.0


@dataclass(frozen=True)
class Program:
    """How a program is started, and when it is ready.

    Args:
        name: Of its log.
        command: Program and arguments.
        environment: Added to the user's, which is freed of settings that would decide a result.
        ready: ``announced``: it prints ``@ {"ready": …}``; ``at_once``: it reads when it can.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Literal["announced", "at_once"] = "announced"


class Coprocess:
    """A running `Program`. A context: leaving it ends the program and all that it started.

    Args:
        program: What to start.
        log: Where its standard error and other output go.

    Raises:
        SightlineError: BENCH_PROGRAM_FAILED if it ends before it is ready, with its last words.
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
            except SightlineError:
                self.close()
                raise

    @property
    def alive(self) -> bool:
        """Whether it still runs; a job that failed need not have ended it."""
        return self._process.poll() is None

    def ask(
        self, line: str, images: int, limit_s: float = _JOB_SECONDS
    ) -> tuple[Usage, dict[str, Any]]:
        """Give it a job and wait.

        Args:
            line: What the program reads.
            images: How many images the job holds.
            limit_s: After so many seconds it is ended, and has failed.

        Returns:
            What the job used, and the program's answer.

        Raises:
            SightlineError: BENCH_PROGRAM_FAILED if it ends, takes too long or says that it failed.
        """
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        before, start = self.tree.cpu_seconds(), time.perf_counter()
        with PeakMemory(self.tree) as peak:
            try:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                raise self._failed("it ended") from None
            answer = self._answer(limit_s)
            wall = time.perf_counter() - start
        after = self.tree.cpu_seconds()
        by_kind = {kind: after[kind] - before.get(kind, 0.0) for kind in after}
        usage = Usage(images, sum(by_kind.values()), wall, peak.mib, by_kind)
        if answer.get("error") or answer.get("status", 0) != 0:
            raise self._failed(str(answer.get("error") or f"status {answer['status']}"))
        return usage, answer

    def since_start(self, first: Usage) -> Usage:
        """What the program used from its start; call it after the first job."""
        by_kind = self.tree.cpu_seconds()
        wall = time.perf_counter() - self.started
        return Usage(first.images, sum(by_kind.values()), wall, first.peak_mib, by_kind)

    def close(self) -> None:
        """End it kindly, then by force whatever it left behind or what takes over 20 seconds."""
        everything = self.tree.processes()  # what outlives the root is found by nothing else
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
        limit.start()
        try:
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
        raise self._failed("it ended")

    def _failed(self, why: str) -> SightlineError:
        self._log.flush()
        words = self._log_path.read_text("utf-8", "replace").splitlines()
        ours = [line for line in words if line.startswith("sightline: ")]
        last = (ours or [line for line in words if line.strip()] or ["it said nothing"])[-1]
        return SightlineError(
            "BENCH_PROGRAM_FAILED",
            f"{self.program.name}: {why}: {last.strip()[:300]} "
            f"(all of it in logs/{self._log_path.name})",
        )


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a user has who put the environment's programs on the PATH and set nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **more}
