"""The devices that a session can run on, and the choice of one for a task."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Literal

from sightline.backends.registry import backend_entry, find_backend
from sightline.errors import WrongUseError

DEVICES = ("auto", "cpu", "cuda")
_INSTALL = (
    "install the missing package (sightline[gpu] for onnx, a CUDA build of torch for pytorch)"
)
ANOTHER_BACKEND = "use another backend"


@dataclass(frozen=True)
class Device:
    """The CPU, or the CUDA device `index` as the driver numbers it.

    Args:
        kind: cpu or cuda.
        index: The number of the CUDA device, from 0.
        share: The part of the device's memory that this process may use, above 0 to 1. It is less
            than 1 if several tasks share a GPU.
    """

    kind: Literal["cpu", "cuda"]
    index: int = 0
    share: float = field(default=1.0, compare=False)

    @property
    def memory_fraction(self) -> float | None:
        """The part of the memory for a runtime's own limit; None: no limit.

        A tenth is left out for each process's CUDA context, which such limits do not count.
        """
        return None if self.share >= 1 else 0.9 * self.share

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"cuda:{self.index}"


def resolve_device(
    requested: str,
    backend: str,
    gpu_addresses: list[str] | None,
    *,
    local: bool = False,
    share: float = 1.0,
) -> Device:
    """Turn `--device` into a device.

    In a Spark task, `auto` is the task's assigned GPU, else the CPU. Outside Spark, `auto` is CUDA
    if the backend supports it, else the CPU. If a task has no GPU, `cuda` is device 0 in local
    mode, where Spark assigns no GPUs, and an error elsewhere, because tasks must not share a GPU
    by accident.

    Args:
        requested: auto, cpu or cuda.
        backend: The name of a backend; some, such as openvino, always run on the CPU.
        gpu_addresses: The task's GPU addresses, such as ["0"]; None outside Spark.
        local: Whether the task runs on the driver's machine (Spark's local mode).
        share: The part of a GPU that the task has, above 0 to 1.

    Raises:
        WrongUseError: UNKNOWN_DEVICE, UNKNOWN_BACKEND or MISSING_PACKAGE.
        SightlineError: DEVICE_UNAVAILABLE if a GPU was requested or assigned but cannot be used.
    """
    if requested not in DEVICES:
        raise WrongUseError("UNKNOWN_DEVICE", f"'{requested}'. Known: {', '.join(DEVICES)}.")
    runtime = find_backend(backend)
    if requested == "cpu" or (requested == "auto" and gpu_addresses == []):
        return Device("cpu")
    cpu_only = backend_entry(backend).devices == ("cpu",)
    if requested == "auto" and cpu_only:
        return Device("cpu")
    if requested == "auto" and gpu_addresses is None:
        return Device("cuda") if runtime.has_cuda() else Device("cpu")
    if gpu_addresses == [] and not local:
        raise WrongUseError(
            "DEVICE_UNAVAILABLE",
            "cuda was requested, but Spark has assigned no GPU to this task. Set --gpus-per-task "
            "(or spark.task.resource.gpu.amount) and spark.executor.resource.gpu.*, or use "
            "--device auto or cpu.",
        )
    index = _index(gpu_addresses[0]) if gpu_addresses else 0
    if not runtime.has_cuda():
        given = f"the task's GPU {index}" if gpu_addresses else "CUDA"
        if cpu_only:
            raise unavailable(backend, given, "it runs on the CPU only", ANOTHER_BACKEND)
        raise unavailable(backend, given, "its installation or this machine has no CUDA")
    return Device("cuda", index, share)


def _index(address: str) -> int:
    if not address.isdecimal():
        raise WrongUseError(
            "DEVICE_UNAVAILABLE",
            f"the task's GPU address is '{address}', which is not a device number. Let the "
            "discovery script print numbers, such as 0.",
        )
    return int(address)


def unavailable(backend: str, wanted: str, reason: str, remedy: str = _INSTALL) -> WrongUseError:
    """Return the error for a requested device that is not available."""
    return WrongUseError(
        "DEVICE_UNAVAILABLE",
        f"{wanted} was requested for backend {backend}, but {reason}. Use --device cpu, or "
        f"{remedy}.",
    )


def cuda_device_count() -> int:
    """Return the number of GPUs that the NVIDIA driver sees; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def cuda_device_bytes(index: int) -> int | None:
    """Return the memory of a GPU in bytes; None if the NVIDIA driver does not tell it."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, size = ctypes.c_int(0), ctypes.c_size_t(0)
    done = (
        driver.cuInit(0) == 0
        and driver.cuDeviceGet(ctypes.byref(device), index) == 0
        and driver.cuDeviceTotalMem_v2(ctypes.byref(size), device) == 0
    )
    return size.value if done else None
