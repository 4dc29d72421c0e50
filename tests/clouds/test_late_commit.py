"""A task that commits after another run has taken the output over."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .stores import Store

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_the_files_of_a_task_that_commits_too_late_are_deleted(
    store: Store,
    run: Callable[..., Done],
    images: str,
    output: str,
    colour_bundle: Path,
    file_format: str,
) -> None:
    other = json.dumps({"host": "elsewhere", "process": 1}).encode()
    # A task has written its file below _temporary, and begins to copy it to its place.
    store.proxy.before_write(
        "/gallery/out/part-", lambda: store.write("gallery/out/_INCOMPLETE", other)
    )
    usual = ("predict", "--images", images, "--model", colour_bundle, "--output", output)
    done = run(*usual, "--format", file_format)
    assert done.returncode == 2
    # Before it, Spark may log the other task, whose copy is interrupted when the job fails.
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"sightline: OUTPUT_IN_USE: another run writes {output}. ")
    # What is left belongs to the other run.
    left = [name for name in store.names("gallery/out") if "_temporary" not in name]
    assert left == ["_INCOMPLETE"]
    assert store.read("gallery/out/_INCOMPLETE") == other
