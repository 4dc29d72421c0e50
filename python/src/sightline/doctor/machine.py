"""The machine: its cores, GPUs and scratch folder."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sightline.backends.device import cuda_device_count
from sightline.doctor.finding import Finding
from sightline.own_cores import own_cores

if TYPE_CHECKING:
    from sightline.doctor.examine import Request

# Spark's spills, and the copies of models and packages.
_LITTLE_SCRATCH_BYTES = 1 << 30


def check(request: Request) -> Iterator[Finding]:
    """Check the threads against the cores, the driver of the GPUs, and the scratch folder."""
    cores = own_cores()
    threads = request.threads or cores
    if threads > cores:
        yield Finding(
            "TOO_MANY_THREADS",
            "warning",
            f"{threads} threads on {cores} usable cores",
            "The threads wait for each other and need memory each.",
            f"Use {cores} threads: --threads {cores}, or spark.task.cpus={cores}.",
        )
    else:
        yield Finding("THREADS", "ok", f"{threads} threads, {cores} usable cores")
    gpus, driver = cuda_device_count(), _cuda_driver()
    found = f"CUDA driver {driver}, {gpus} GPUs" if driver else "no CUDA driver, no GPU"
    yield Finding("GPUS", "ok", found)
    yield _scratch()


def _scratch() -> Finding:
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        return Finding(
            "DISK_FULL",
            "blocker",
            f"no scratch folder can be written: {error.strerror}",
            "The model and Spark's spills are stored there.",
            "Free some space, or set TMPDIR and spark.local.dir to a writable folder.",
        )
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SCRATCH_BYTES:
        return Finding(
            "LITTLE_SCRATCH_SPACE",
            "warning",
            f"{free / 2**20:.0f} MiB are free in {folder}",
            "The model, the Python packages and Spark's spills are stored there.",
            "Free some space, or set TMPDIR and spark.local.dir to a folder with 1 GiB or more.",
        )
    return Finding("SCRATCH", "ok", f"{free / 2**30:.1f} GiB free in {folder}")


def _cuda_driver() -> str | None:
    """Return the newest CUDA version that the NVIDIA driver supports, such as 13.0."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int(0)
    if driver.cuDriverGetVersion(ctypes.byref(version)) != 0:
        return None
    return f"{version.value // 1000}.{version.value % 1000 // 10}"
