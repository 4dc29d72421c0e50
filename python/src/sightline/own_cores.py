"""The number of CPU cores that this process may use."""

from __future__ import annotations

import os


def own_cores() -> int:
    """Return the number of usable cores, at least 1; a container often has only some of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
