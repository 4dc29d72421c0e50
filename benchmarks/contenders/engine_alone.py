"""Runs `sightline predict`, the engine without Spark, many times in one process."""

from __future__ import annotations

import contextlib
import sys

from plain import Job, serve
from sightline.cli.main import main


def predict(job: Job) -> None:
    """Run one command; its output goes to the log."""
    with contextlib.redirect_stdout(sys.stderr):
        status = main(job["arguments"])
    if status != 0:
        message = f"status {status}"
        raise RuntimeError(message)


if __name__ == "__main__":
    serve({"engine": predict})
