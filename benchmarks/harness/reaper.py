"""Runs one command and stays the parent of all that it leaves behind.

reaper.py COMMAND ARGUMENT…

A daemon whose parent ends is handed to the nearest "subreaper". This process is one, so whatever
a program starts stays below it, and the time of all that ended is in its own children's time.
It is started by its path and imports nothing of Sightline, so it costs next to nothing itself.
"""

from __future__ import annotations

import ctypes
import os
import sys

_SET_CHILD_SUBREAPER = 36  # prctl's number for it, Linux 3.4 and later


def main() -> int:
    """Start the command, reap every child until it has ended, and give its exit status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    program = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
    while True:
        ended, status = os.wait()
        if ended == program:
            return max(os.waitstatus_to_exitcode(status), 0) or (0 if status == 0 else 1)


if __name__ == "__main__":
    sys.exit(main())
