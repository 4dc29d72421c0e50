"""The devices that a session can run on."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Literal

from sightline.errors import WrongUseError

DEVICES = ("auto", "cpu", "cuda")
_INSTALL = "install what is missing (sightline[gpu] for onnx, a CUDA build of torch for pytorch)"
ANOTHER_BACKEND = "use another backend"


@dataclass(frozen=True)
class Device:
    """The CPU, or the CUDA device `index` as the driver numbers it."""

    kind: Literal["cpu", "cuda"]
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"cuda:{self.index}"


def unavailable(backend: str, wanted: str, reason: str, remedy: str = _INSTALL) -> WrongUseError:
    """Return the error for a requested device that is not available."""
    return WrongUseError(
        "DEVICE_UNAVAILABLE",
        f"{wanted} was asked of backend {backend}, but {reason}. Use --device cpu, or {remedy}.",
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
