"""Recognise errors of a GPU after which a process cannot use CUDA any more."""

from __future__ import annotations

from sightline.errors import SightlineError

# In messages of PyTorch and onnxruntime. All later CUDA calls of the process fail too.
_WORDS = (
    "illegal memory access",
    "illegal instruction",
    "misaligned address",
    "device-side assert",
    "unspecified launch failure",
    "uncorrectable ecc error",
    "the launch timed out",
    "gpu is lost",
    "fallen off the bus",
    "cuda failure 700",
    "cuda failure 719",
)


def raise_if_device_failed(error: Exception, what: str) -> None:
    """Raise DEVICE_FAILED if the error means that this process can no longer use its GPU.

    It is never the error of a row: in a Spark task it ends the worker, and Spark runs the task
    again in another process.

    Args:
        error: An exception of a model's runtime.
        what: What was running, as the subject of the message.

    Raises:
        SightlineError: DEVICE_FAILED.
    """
    text = str(error).lower()
    if any(words in text for words in _WORDS):
        raise SightlineError(
            "DEVICE_FAILED",
            f"{what} made the GPU fail, or found it failed: {' '.join(str(error).split())[:300]} "
            "If it happens again on one machine only, look at nvidia-smi and dmesg there.",
        ) from error
