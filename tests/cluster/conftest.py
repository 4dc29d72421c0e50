"""The cluster of these tests. Its nodes have no Python on their PATH, and nothing of Sightline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .standalone import StandaloneCluster

# What Spark itself starts on a node.
NODE_PROGRAMS = ("bash", "sh", "cat", "chmod", "rm", "dirname", "java", "tar", "gzip")


@pytest.fixture(scope="session")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, spark_home: Path, quick_start: dict[str, str]
) -> Iterator[StandaloneCluster]:
    """Worker 0 has GPU 3, worker 1 has GPUs 5 to 9; both say that they have 16 cores."""
    programs = tmp_path_factory.mktemp("programs")
    for name in NODE_PROGRAMS:
        found = shutil.which(name)
        assert found, name
        (programs / name).symlink_to(found)
    kept = ("JAVA_HOME", "HOME", "LANG", "TMPDIR")
    environment = {name: one for name, one in os.environ.items() if name in kept} | {
        "PATH": str(programs),
        "SPARK_HOME": str(spark_home),
        "SPARK_DAEMON_JAVA_OPTS": quick_start["SPARK_SUBMIT_OPTS"],
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    started = StandaloneCluster(
        spark_home / "bin" / "spark-class",
        environment,
        tmp_path_factory.mktemp("cluster"),
        workers=[["3"], ["5", "6", "7", "8", "9"]],
        cores=16,
    )
    yield started
    started.close()
