"""Runs the benchmark of this checkout: `.venv/bin/python benchmarks/run.py --help`."""

import signal
import sys

from harness.cli import main

if __name__ == "__main__":
    # A terminated run ends its programs as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
