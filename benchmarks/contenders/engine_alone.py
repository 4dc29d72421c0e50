"""Sightline's engine without Spark: `sightline predict`, again and again in one process."""

from __future__ import annotations

import contextlib
import sys

from plain import Job, serve
from sightline.cli.main import main


def predict(job: Job) -> None:
    """One command; what it prints goes to the log."""
    with contextlib.redirect_stdout(sys.stderr):
        status = main(job["arguments"])
    if status != 0:
        message = f"status {status}"
        raise RuntimeError(message)


if __name__ == "__main__":
    serve({"engine": predict})
