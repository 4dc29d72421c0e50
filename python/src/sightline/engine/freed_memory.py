"""Limits the freed memory that glibc's malloc keeps in a process with several worker threads."""

from __future__ import annotations

import ctypes
import os
import sys

# Numbers of mallopt's parameters in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# By default each thread gets a heap of its own and keeps freed blocks in it. With eight threads and
# photographs these are several hundred MiB.
_HEAPS = 2
# glibc's largest values. A smaller block limit means that the pixels of each image are mapped anew,
# which costs page faults: a fifth of the CPU time of a photograph. docs/design.md has the figures.
_MAPPED_BYTES, _KEPT_BYTES = 32 * 1024 * 1024, 64 * 1024 * 1024


def limit_freed_memory() -> None:
    """Let all threads share two heaps of malloc, and let these keep up to 64 MiB of freed blocks.

    The limits in the environment variables ``MALLOC_MMAP_THRESHOLD_`` and
    ``MALLOC_TRIM_THRESHOLD_`` are kept. Other systems than Linux are not changed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:  # musl has none
        return
    mallopt(_M_ARENA_MAX, _HEAPS)
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
