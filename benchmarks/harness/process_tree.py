"""CPU time and memory of a process and all of its descendants."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_SAMPLE_SECONDS = 0.25
_END_SECONDS = 5.0
_MIB = 1 << 20


class ProcessTree:
    """A process and its descendants.

    Args:
        root: Process id of a `reaper.py`. The CPU time of descendants that ended is in its
            children's time.
    """

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)

    def cpu_seconds(self) -> dict[str, float]:
        """Return user and system seconds so far, by kind: ``jvm``, ``python``, ``other``.

        The time of processes that ended counts for the kind of their parent.
        """
        while True:
            before = self.processes()
            seconds: dict[str, float] = {}
            for process in before:
                try:
                    kind, spent = _kind(process), sum(process.cpu_times()[:4])
                except psutil.NoSuchProcess:
                    continue
                seconds[kind] = seconds.get(kind, 0.0) + spent
            # A process that ended meanwhile may be counted twice or not at all: read again.
            if {process.pid for process in before} == {p.pid for p in self.processes()}:
                return seconds

    def memory_mib(self) -> float:
        """Return the current memory; on Linux shared pages are counted once (PSS)."""
        return sum(_pss_bytes(process) for process in self.processes()) / _MIB

    def largest_worker_mib(self) -> float:
        """Return the largest peak RSS of one Python process below the root."""
        return max((_peak_rss_bytes(p) for p in self._of_kind("python")), default=0.0) / _MIB

    def jvm_mib(self) -> float:
        """Return the largest peak RSS of one JVM below the root."""
        return max((_peak_rss_bytes(p) for p in self._of_kind("jvm")), default=0.0) / _MIB

    def _of_kind(self, kind: str) -> list[psutil.Process]:
        found = []
        for process in self.processes()[1:]:
            try:
                if _kind(process) == kind:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def processes(self) -> list[psutil.Process]:
        """Return the processes that are alive, the root first."""
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill the processes and wait for their end.

    psutil skips a process whose id has been reused.
    """
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, _END_SECONDS)


class PeakMemory:
    """The peak memory of a process tree, sampled four times a second in a thread."""

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mib = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.mib = max(self.mib, self._tree.memory_mib())
            if self._stopped.wait(_SAMPLE_SECONDS):
                return


def _kind(process: psutil.Process) -> str:
    name = process.name()
    if name == "java":
        return "jvm"
    return "python" if name.startswith(("python", "ray::", "pyspark")) else "other"


def _pss_bytes(process: psutil.Process) -> float:
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass  # the process ended, or this is not Linux
    try:
        return float(process.memory_info().rss)
    except psutil.Error:
        return 0.0


def _peak_rss_bytes(process: psutil.Process) -> float:
    try:
        for line in Path(f"/proc/{process.pid}/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return float(process.memory_info().rss)
    except psutil.Error:
        return 0.0
