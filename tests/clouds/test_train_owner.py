"""The owner of a training run in a bucket, where no process can be asked whether it lives."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import psutil
import pytest

from .conftest import error
from .stores import Store

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)


def test_a_run_that_another_machine_writes_is_refused_and_a_killed_one_is_taken_over(
    store: Store, run: Callable[..., Done], images: str, output: str
) -> None:
    network = ("--architecture", "resnet5", "--weights", "none")
    train = ("train", "--images", images, "--output", output, *network)
    store.write("gallery/out/train.yaml", b"epochs: 1\n")
    owner = {"host": "elsewhere", "process": 1, "began": "2026-11-30T12:00:00Z"}
    other = json.dumps(owner).encode()
    store.write("gallery/out/owner.json", other)
    for start in ("--resume", "--overwrite"):
        done = run(*train, start)
        assert done.returncode == 2
        message = f"process 1 on elsewhere writes the run {output} since 2026-11-30T12:00:00Z. "
        assert error(done).startswith(f"sightline: RUN_IN_USE: {message}")
    assert store.names("gallery/out") == ["owner.json", "train.yaml"]
    assert store.read("gallery/out/owner.json") == other

    gone = max(psutil.pids()) + 100_000
    here = {"host": os.uname().nodename, "namespace": os.readlink("/proc/self/ns/pid")}  # noqa: PTH115
    store.write("gallery/out/owner.json", json.dumps(owner | here | {"process": gone}).encode())
    # The run is taken over; then its network is refused.
    assert error(run(*train, "--resume")).startswith("sightline: UNKNOWN_ARCHITECTURE: ")
    assert store.names("gallery/out") == ["train.yaml"]


def test_of_two_runs_that_begin_at_the_same_time_one_is_refused(
    store: Store, run: Callable[..., Done], images: str, output: str
) -> None:
    network = ("--architecture", "resnet5", "--weights", "none")
    train = ("train", "--images", images, "--output", output, *network)
    # The other run creates its file after this one has found none.
    other = json.dumps({"host": "elsewhere", "process": 1}).encode()
    store.proxy.before_write("owner.json", lambda: store.write("gallery/out/owner.json", other))
    assert error(run(*train)).startswith("sightline: RUN_IN_USE: process 1 on elsewhere writes ")
    assert store.names("gallery/out") == ["owner.json"]
