"""Runs the benchmark of this checkout: `.venv/bin/python benchmarks/run.py --help`."""

import sys

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
