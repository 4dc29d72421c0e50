"""What a result was measured on and with."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from sightline.own_cores import own_cores

_DISTRIBUTIONS = (
    "numpy",
    "pillow",
    "pyarrow",
    "onnxruntime",
    "openvino",
    "simplejpeg",
    "torch",
    "timm",
    "pyspark",
)


def describe_machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory, and the system."""
    return {
        "processor": _processor(),
        "cores": own_cores(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": f"{platform.system()} {platform.release()}",
        "gpu": "seen by nvidia-smi, not used" if shutil.which("nvidia-smi") else "none",
    }


def describe_versions(repository: Path) -> dict[str, str]:
    """Of the packages that decide a result; the peers' are those of benchmarks/peers.txt."""
    versions = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for file in ("peers.txt", "spark_peers.txt"):
        for line in (repository / "benchmarks" / file).read_text("utf-8").splitlines():
            name, _, version = line.partition("==")
            if name.partition("[")[0] in ("ray", "daft", "pandas"):
                versions[name.partition("[")[0]] = version
    return versions


def describe_commit(repository: Path) -> str:
    """The commit, with ``+changes`` if the tree differs from it; ``unknown`` without git."""
    revision = _output(["git", "-C", str(repository), "rev-parse", "--short=12", "HEAD"])
    if revision is None:
        return "unknown"
    changed = _output(["git", "-C", str(repository), "status", "--porcelain", "-uno"])
    return f"{revision}+changes" if changed else revision


def measured_on(entry: dict[str, Any]) -> str:
    """A sentence on when, where and at which commit an entry of a record was measured."""
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
