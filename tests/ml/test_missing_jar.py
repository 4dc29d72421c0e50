"""A stage without a session, or without the jar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

SCRIPT = """
from pyspark.sql import SparkSession
from sightline import WrongUseError
from sightline.ml import ImageFeaturizer

for _ in range(2):
    try:
        ImageFeaturizer(model="colour")
    except WrongUseError as error:
        print(error.code, "|", error.message)
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
"""


def test_the_missing_session_and_the_missing_jar_are_named(
    run_in: Callable[..., CompletedProcess[str]], repository: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = run_in(
        repository / ".venv" / "bin" / "python",
        script,
        PYTHONPATH=str(repository / "python" / "src"),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    no_session, no_jar = done.stdout.splitlines()
    assert no_session.startswith("MISSING_JAR | sightline.ml.ImageFeaturizer needs an active Spark")
    assert no_jar.startswith("MISSING_JAR | the Spark session has no class sightline.ml.ImageFeat")
    assert "--jars sightline.jar" in no_jar
