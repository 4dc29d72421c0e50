"""The process that writes an output, which a file beside the output identifies.

Scala's commands write and read the same file.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

_CLOCK = 2.0  # Seconds. Computed start times of one process differ by less.


@dataclass(frozen=True, slots=True)
class RunOwner:
    """A process on a machine.

    Args:
        host: Name of the machine.
        namespace: Linux PID namespace, in which the number is valid; None on other systems.
        process: Process id.
        started: Start time in seconds since 1970; None if unknown.
        boot: Id of the machine's start, which differs between machines of one name; None on other
            systems than Linux.
    """

    host: str
    namespace: str | None
    process: int
    started: float | None
    boot: str | None = None

    def has_ended(self) -> bool | None:
        """Whether the process has ended.

        None if it runs on another machine or in a container, or if this one was started again.
        """
        here = current()
        if (self.host, self.namespace) != (here.host, here.namespace):
            return None
        # Without the id, the file is from an earlier version.
        if self.boot is not None and self.boot != here.boot:
            return None
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass  # It exists and belongs to another user.
        started = _start_of(self.process)
        # The id may belong to another process by now.
        return (
            started is not None
            and self.started is not None
            and abs(started - self.started) > _CLOCK
        )

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"


def current() -> RunOwner:
    """Return the owner for this process."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no file of ours
    except OSError:
        namespace = None
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = None
    process = os.getpid()
    return RunOwner(socket.gethostname(), namespace, process, _start_of(process), boot)


def owner_text(**more: str) -> str:
    """Return the content of this process's owner file.

    Args:
        more: Further fields, such as a name of the run.
    """
    owner = current()
    fields = {
        "host": owner.host,
        "namespace": owner.namespace,
        "process": owner.process,
        "process_started": owner.started,
        "boot": owner.boot,
    }
    return json.dumps(fields | more) + "\n"


def write_owner(file: Path) -> None:
    """Write this process's owner file."""
    file.write_text(owner_text(), "utf-8")


def read_owner(file: Path) -> RunOwner | None:
    """Read an owner file; None if it does not exist or cannot be read."""
    try:
        return parse_owner(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def parse_owner(text: str) -> RunOwner | None:
    """Read the content of an owner file; None if it is no such content."""
    try:
        found = json.loads(text)
        host, process = found["host"], found["process"]
        namespace, boot = found.get("namespace"), found.get("boot")
        known = isinstance(host, str) and isinstance(process, int)
        texts = isinstance(namespace, str | None) and isinstance(boot, str | None)
        if not known or process <= 0 or not texts:
            return None
        at = found.get("process_started")
        return RunOwner(host, namespace, process, float(at) if at is not None else None, boot)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def process_seconds() -> float:
    """Return the seconds since this process started; 0 if the system does not report it."""
    started = _start_of(os.getpid())
    return max(0.0, time.time() - started) if started is not None else 0.0


def _start_of(process: int) -> float | None:
    """Start time in seconds since 1970; None without /proc."""
    try:
        boot = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text().splitlines()
            if line.startswith("btime ")
        )
        # Field 22 of the line, counted after the name in parentheses, which may contain spaces.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return None
