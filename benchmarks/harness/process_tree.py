"""CPU time and memory of a process and all of its descendants."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_SAMPLE_SECONDS = 0.5  # finding the processes costs CPU time too
_END_SECONDS = 5.0
_TICKS_SECONDS = 0.04  # the system counts CPU time in ticks of 0.01 s
_MIB = 1 << 20


@dataclass(frozen=True)
class _Spent:
    """The CPU seconds of a process, and those of its children that ended and were waited for."""

    kind: str
    own: float
    children: float


class ProcessTree:
    """A process and its descendants.

    Args:
        root: Process id of a `reaper.py`. The CPU time of descendants that ended is in its
            children's time.
    """

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)
        self._lock = threading.Lock()
        self._last: dict[psutil.Process, _Spent] = {}
        self._lost: dict[str, float] = {}

    def cpu_seconds(self) -> dict[str, float]:
        """Return user and system seconds so far, by kind: ``jvm``, ``python``, ``other``.

        The time of processes that ended counts for the kind of their parent. A parent that ignores
        the end of its children, as Ray's raylet does, does not get their time from the system:
        that time is what the last call saw, so call this often.
        """
        with self._lock:
            now = self._read()
            self._add_lost(now)
            self._last = now
            seconds = dict(self._lost)
            for spent in now.values():
                seconds[spent.kind] = seconds.get(spent.kind, 0.0) + spent.own + spent.children
            return seconds

    def _read(self) -> dict[psutil.Process, _Spent]:
        while True:
            before = self.processes()
            found: dict[psutil.Process, _Spent] = {}
            for process in before:
                try:
                    kind, times = _kind(process), process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                found[process] = _Spent(kind, sum(times[:2]), sum(times[2:4]))
            # A process that ended meanwhile may be counted twice or not at all: read again.
            if {process.pid for process in before} == {p.pid for p in self.processes()}:
                return found

    def _add_lost(self, now: dict[psutil.Process, _Spent]) -> None:
        """Keep the time of processes that ended without giving it to a living process."""
        ended = [spent for process, spent in self._last.items() if process not in now]
        received = sum(
            spent.children - self._last[process].children
            for process, spent in now.items()
            if process in self._last
        )
        total = sum(spent.own + spent.children for spent in ended)
        missing = total - received
        if missing > _TICKS_SECONDS * len(ended):
            for spent in ended:
                share = (spent.own + spent.children) / total
                self._lost[spent.kind] = self._lost.get(spent.kind, 0.0) + missing * share

    def memory_mib(self) -> float:
        """Return the memory of the processes that the last `cpu_seconds` found.

        On Linux shared pages are counted once (PSS).
        """
        with self._lock:
            found = list(self._last)
        return sum(_pss_bytes(process) for process in found) / _MIB

    def largest_worker_mib(self) -> float:
        """Return the largest peak RSS of one Python process below the root."""
        return max((peak_rss_bytes(p) for p in self._of_kind("python")), default=0.0) / _MIB

    def jvm_mib(self) -> float:
        """Return the largest peak RSS of one JVM below the root."""
        return max((peak_rss_bytes(p) for p in self._of_kind("jvm")), default=0.0) / _MIB

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
    """The peak memory of a process tree, sampled twice a second in a thread.

    The thread reads the CPU time too, for processes that end without giving it to their parent.
    """

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
            self._tree.cpu_seconds()
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


def peak_rss_bytes(process: psutil.Process) -> float:
    """Return the peak RSS of a process; 0 if it has ended. Elsewhere than on Linux, the RSS."""
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
