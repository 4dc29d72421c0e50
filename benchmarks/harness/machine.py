"""The machine, versions and commit of a measurement."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from harness.checkout import BENCHMARKS, REPOSITORY

_DISTRIBUTIONS = (
    "numpy",
    "pillow",
    "pyarrow",
    "onnxruntime",
    "openvino",
    "torch",
    "timm",
    "pyspark",
)


def describe_setup() -> dict[str, Any]:
    """Return ``started`` (now, ISO 8601), ``machine``, ``versions`` and ``commit``."""
    return {
        "started": now(),
        "machine": describe_machine(),
        "versions": describe_versions(),
        "commit": describe_commit(),
    }


def now() -> str:
    """Return the current time in UTC, ISO 8601, to the second."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")


def usable_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_machine() -> dict[str, Any]:
    """Return the processor, the usable cores, the memory, the system and the GPU."""
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": f"{platform.system()} {platform.release()}",
        "gpu": "seen by nvidia-smi, not used" if shutil.which("nvidia-smi") else "none",
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of the packages that decide a result; of peers those of peers.txt."""
    versions = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for file in ("peers.txt", "spark_peers.txt"):
        for line in (BENCHMARKS / file).read_text("utf-8").splitlines():
            name, _, version = line.partition("==")
            if name.partition("[")[0] in ("ray", "daft", "pandas"):
                versions[name.partition("[")[0]] = version
    return versions


def describe_commit() -> str:
    """Return the commit, with ``+changes`` if files differ from it; ``unknown`` without git."""
    revision = _output(["git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD"])
    if revision is None:
        return "unknown"
    changed = _output(["git", "-C", str(REPOSITORY), "status", "--porcelain", "-uno"])
    return f"{revision}+changes" if changed else revision


def measured_on(entry: dict[str, Any]) -> str:
    """Return a sentence with the time, machine and commit of a part of a record."""
    machine = entry["machine"]
    return (
        f"Measured {entry['started']} in {entry['seconds'] / 60:.0f} minutes on "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"GPU: {machine['gpu']}; commit {entry['commit']}."
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _output(command: list[str]) -> str | None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return run.stdout.strip()
