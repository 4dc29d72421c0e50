"""Runs one command as the parent of all processes that the command leaves behind.

reaper.py COMMAND ARGUMENT…

On Linux a process whose parent ends becomes a child of the nearest "subreaper". This script is
one, so every process that the command starts stays below it, and the CPU time of ended processes
is part of the children's time of this process. It is started by its path and imports only the
standard library, so it uses almost no CPU time itself.
"""

from __future__ import annotations

import ctypes
import os
import sys

_SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl, Linux 3.4 and later


def main() -> int:
    """Start the command, wait for every child until the command ends, and return its status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    program = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
    while True:
        ended, status = os.wait()
        if ended == program:
            return max(os.waitstatus_to_exitcode(status), 0) or (0 if status == 0 else 1)


if __name__ == "__main__":
    sys.exit(main())
