"""The cluster of these tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .standalone import StandaloneCluster


@pytest.fixture(scope="session")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, quick_start: dict[str, str]
) -> Iterator[StandaloneCluster]:
    """Worker 0 has GPU 3, worker 1 has GPUs 5 to 9; both say that they have 16 cores."""
    ours = ("PYSPARK_", "SPARK_", "SIGHTLINE_", "PYTHONPATH")
    environment = {name: one for name, one in os.environ.items() if not name.startswith(ours)} | {
        "PATH": f"{repository / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SPARK_DAEMON_JAVA_OPTS": quick_start["SPARK_SUBMIT_OPTS"],
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    started = StandaloneCluster(
        repository / ".venv" / "bin" / "spark-class",
        environment,
        tmp_path_factory.mktemp("cluster"),
        workers=[["3"], ["5", "6", "7", "8", "9"]],
        cores=16,
    )
    yield started
    started.close()
