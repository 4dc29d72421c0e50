"""Run the checks or the checks and tests. Print the reasons of failures and one line of counts.

verify.py style        format, style, types and layers
verify.py quick        the checks of the changed languages, and the fast tests of both
verify.py coverage     the tests of python/, and their coverage of the sources
verify.py everything   all checks, dist/sightline.jar, and all tests in Scala and Python

Up to three parts run at the same time, one for each 4 GB of memory: many tests wait for processes
to start, so three keep two cores busy. VERIFY_THREADS=N selects the number. The output of a part is
printed when the part has ended, unless N is 1.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from verify_parts import FAILURES, PLANS, REPORTS, Part

PART_GB = 4
MOST_THREADS = 3
PROGRESS_S = 60


@dataclass
class Counts:
    """Counts of test results. A part that fails without a failed test counts as one failure."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)

    def fail(self, reason: str) -> None:
        """Count one failure, and keep its reason for the summary."""
        self.failed += 1
        self.reasons.append(reason)

    def line(self) -> str:
        """Return the last line of a run with tests."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def main(arguments: Sequence[str]) -> int:
    """Run each part, also after failures. Return 0 if all passed, 1 if not, 2 for wrong use."""
    if len(arguments) != 1 or arguments[0] not in PLANS:
        print(f"WRONG_ARGUMENTS: verify.py {'|'.join(PLANS)}", file=sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # logs contain any character
    for stale in REPORTS.rglob("*.xml"):
        stale.unlink()
    FAILURES.unlink(missing_ok=True)
    counts = Verification(PLANS[arguments[0]](), number_of_threads()).run()
    for reason in counts.reasons:
        print(f"FAILED {reason}")
    if arguments[0] != "style":
        print(counts.line())
    return 1 if counts.reasons or counts.failed else 0


def number_of_threads() -> int:
    """Return VERIFY_THREADS if it is set, else the number for which the memory is enough."""
    wanted = os.environ.get("VERIFY_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # the value is "max" if a container is not limited
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(max(memory // (PART_GB * 10**9), 1), MOST_THREADS)


class Verification:
    """A run of parts in threads. A free thread takes the first part that can start."""

    def __init__(self, parts: Sequence[Part], threads: int) -> None:
        self._threads = threads
        self._waiting = list(parts)
        self._ended: set[str] = set()
        self._changed = threading.Condition()
        self._running: dict[str, tuple[float, Path]] = {}  # start time and log
        self._counts = Counts()
        self._printing = threading.Lock()

    def run(self) -> Counts:
        """Run all parts and return their counts."""
        if self._threads == 1:
            self._run_parts()
            return self._counts
        threads = [
            threading.Thread(target=self._run_parts, daemon=True) for _ in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        shown = time.monotonic()
        while running := [thread for thread in threads if thread.is_alive()]:
            running[0].join(1)
            if time.monotonic() - shown >= PROGRESS_S:
                shown = time.monotonic()
                self._show_progress()
        return self._counts

    def _run_parts(self) -> None:
        while (part := self._take()) is not None:
            try:
                self._run_part(part)
            except Exception as error:  # noqa: BLE001 - the other parts must run
                self._counts.fail(f"{part.name}: {type(error).__name__}: {error}")
            finally:
                with self._changed:
                    self._ended.add(part.name)
                    self._changed.notify_all()

    def _take(self) -> Part | None:
        """Remove and return the first part whose need has ended. Wait for one; None at the end."""
        with self._changed:
            while self._waiting:
                for part in self._waiting:
                    if not part.needs or part.needs in self._ended:
                        self._waiting.remove(part)
                        return part
                self._changed.wait()
            return None

    def _run_part(self, part: Part) -> None:
        start = time.monotonic()
        if self._threads == 1:
            print(f"==> {part.name}", flush=True)
            status = _run(part, None)
            print(f"    {part.name}: {time.monotonic() - start:.0f} s", flush=True)
        else:
            log = REPORTS / "logs" / f"{part.name.replace('/', ' ').strip()}.txt"
            log.parent.mkdir(parents=True, exist_ok=True)
            self._running[part.name] = (start, log)
            with log.open("w") as file:
                status = _run(part, file)
            del self._running[part.name]
            with self._printing:
                print(f"==> {part.name}: {time.monotonic() - start:.0f} s", flush=True)
                print(log.read_text("utf-8", "replace"), end="", flush=True)
        with self._printing:
            _judge(part, status, self._counts)

    def _show_progress(self) -> None:
        """Print one line for each running part: its time so far and its last output."""
        with self._printing:
            for name, (since, log) in list(self._running.items()):
                lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
                last = lines[-1][:80] if lines else ""
                print(f"... {name}, {time.monotonic() - since:.0f} s: {last}", flush=True)


def _run(part: Part, log: IO[str] | None) -> int:
    """Run a part's command. Its output goes to a log, or to our own output without a log."""
    errors = None if log is None else subprocess.STDOUT
    command, folder = part.command, part.folder
    return subprocess.run(command, cwd=folder, stdout=log, stderr=errors, check=False).returncode  # noqa: S603


def _judge(part: Part, status: int, counts: Counts) -> None:
    """Add the result of a part that has ended."""
    failed = counts.failed
    reported = _count(part, counts) if part.reports else 0
    if part.failures is not None and part.failures.exists():
        lines = part.failures.read_text("utf-8", "replace").splitlines()
        counts.reasons += [f"{part.name}: {line}" for line in lines or [f"exit status {status}"]]
        part.failures.unlink()
        counts.failed = max(counts.failed, failed + 1)
    elif status != 0 and counts.failed == failed:
        counts.fail(f"{part.name}: exit status {status}")
    elif part.reports and not reported:
        counts.fail(f"{part.name}: no test has reported")


def _count(part: Part, counts: Counts) -> int:
    """Add the test cases of a part's JUnit reports, and return their number."""
    reported = 0
    for path in sorted(REPORTS.glob(part.reports)):
        for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 - the file is our own
            reported += 1
            if case.find("failure") is not None or case.find("error") is not None:
                counts.fail(f"{part.name}: {case.get('classname')}: {case.get('name')}")
            elif case.find("skipped") is not None:
                counts.skipped += 1
            else:
                counts.passed += 1
    return reported


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
