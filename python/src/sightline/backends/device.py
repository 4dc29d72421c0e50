"""Which device a session runs on: decided once, from what was asked and what the task was given."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Literal

from sightline.errors import SightlineError, WrongUseError

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Device:
    """The CPU, or the CUDA device `index` as the driver numbers it."""

    kind: Literal["cpu", "cuda"]
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"cuda:{self.index}"


def resolve_device(requested: str, backend: str, gpu_addresses: list[str] | None) -> Device:
    """Turn `--device` into a device.

    In a Spark task `auto` is the GPU that the task was given, else the CPU; alone it is CUDA if
    the backend can, else the CPU. `cuda` in a task that was given no GPU (local mode gives none)
    is device 0.

    Args:
        requested: auto, cpu or cuda.
        backend: onnx or pytorch.
        gpu_addresses: The task's GPU addresses, such as ["0"]; None outside Spark.

    Raises:
        WrongUseError: UNKNOWN_DEVICE, UNKNOWN_BACKEND or MISSING_PACKAGE.
        SightlineError: DEVICE_UNAVAILABLE: a GPU was asked for or given, and cannot be used.
    """
    from sightline.backends.registry import find_backend

    if requested not in DEVICES:
        raise WrongUseError("UNKNOWN_DEVICE", f"'{requested}'. Known: {', '.join(DEVICES)}.")
    runtime = find_backend(backend)
    if requested == "cpu" or (requested == "auto" and gpu_addresses == []):
        return Device("cpu")
    if requested == "auto" and gpu_addresses is None:
        return Device("cuda") if runtime.has_cuda() else Device("cpu")
    index = _index(gpu_addresses[0]) if gpu_addresses else 0
    if not runtime.has_cuda():
        given = f"the task's GPU {index}" if gpu_addresses else "CUDA"
        raise unavailable(backend, given, "this installation of it, or this machine, has no CUDA")
    return Device("cuda", index)


def unavailable(backend: str, wanted: str, reason: str) -> SightlineError:
    """The error for a device that was asked for and is not to be had."""
    return SightlineError(
        "DEVICE_UNAVAILABLE",
        f"{wanted} was asked of backend {backend}, but {reason}. Use --device cpu, or install "
        "what is missing (sightline[gpu] for onnx, a CUDA build of torch for pytorch).",
    )


def cuda_device_count() -> int:
    """How many GPUs the NVIDIA driver sees; 0 where there is no driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _index(address: str) -> int:
    if not address.isdecimal():
        raise SightlineError(
            "DEVICE_UNAVAILABLE",
            f"the task's GPU address is '{address}', which is not a device number. Let the "
            "discovery script print numbers, such as 0.",
        )
    return int(address)
