"""Makes glibc's malloc return the memory of decoded images to the system."""

from __future__ import annotations

import ctypes
import sys

# Numbers of mallopt's parameters in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# A block of this size is mapped, and unmapped when it is freed. The pixels of a small photograph
# need less: mapping them would cost page faults for every image.
_MAPPED_BYTES = 1024 * 1024
# Free bytes that may stay at the end of each heap, of which there is one for each thread.
_KEPT_BYTES = 4 * 1024 * 1024
# They allocate a model's large blocks once. PyTorch, and the code of users that may use it, free
# large blocks in every layer: page faults would triple their CPU time.
_BACKENDS = ("onnx", "openvino")
# What other backends get back if a worker had a backend of the list before: glibc's own maxima.
_LARGEST_MAPPED_BYTES, _LARGEST_KEPT_BYTES = 32 * 1024 * 1024, 64 * 1024 * 1024

_is_changed = False


def return_freed_memory(backend: str) -> None:
    """Return freed blocks of 1 MiB and more to the system at once, for backends that gain by it.

    Other systems than Linux are not changed.

    By default glibc raises its limits when a large block is freed, and then keeps such blocks for
    each thread. With eight threads and photographs these are several hundred MiB.

    Args:
        backend: The backend of the model that runs next.
    """
    global _is_changed  # noqa: PLW0603 - malloc's settings belong to the process
    returns = backend in _BACKENDS
    if returns == _is_changed or not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES if returns else _LARGEST_MAPPED_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES if returns else _LARGEST_KEPT_BYTES)
        _is_changed = returns
