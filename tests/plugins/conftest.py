"""One PySpark session with the jar, in this process, for all tests of plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def spark(jar: Path) -> Iterator[SparkSession]:
    """Two slots, so two worker processes; the workers get Sightline's code from the jar alone."""
    with pytest.MonkeyPatch.context() as variables:
        variables.delenv("PYTHONPATH", raising=False)
        variables.setenv("PYSPARK_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
        variables.setenv("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.jars", str(jar))
            .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()
