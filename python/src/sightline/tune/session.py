"""The Spark session of a search."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sightline.errors import SightlineError, WrongUseError, error_conditions
from sightline.wrong_option import invalid_option


@contextmanager
def tuning_session(
    jar: Path, master: str | None, settings: Mapping[str, str]
) -> Iterator[SparkSession]:
    """Yield the active session, or one that ends with the block.

    spark-submit has started the JVM already: there, master, jar and settings are its options.

    Args:
        jar: Sightline's, which a new session gets.
        master: Master of a new session; None for all cores of this machine.
        settings: Spark's settings of a new session.

    Raises:
        WrongUseError: INVALID_OPTION if spark-submit has to get the master or a setting;
            MISSING_JAR without Sightline's jar; an error of the block that the jar reports.
        SightlineError: Other errors of Spark: RUN_FAILED, or the condition that the jar reports.
    """
    active = SparkSession.getActiveSession()
    is_submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if is_submitted or active is not None:
        for option, value in (("--master", master), *(("--conf", name) for name in settings)):
            if value is not None:
                rule = "The Spark session exists already: give this to spark-submit instead."
                raise invalid_option(option, value, rule)
    if active is not None:
        with _sightline_errors():
            yield active
        return
    builder = SparkSession.builder.appName("sightline tune")
    given = dict(settings)
    given.setdefault("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    if not is_submitted:
        if not jar.is_file():
            raise WrongUseError("MISSING_JAR", f"there is no {jar}. Run `make setup`.")
        builder = builder.master(master or "local[*]")
        given["spark.jars"] = ",".join(filter(None, [str(jar), given.get("spark.jars")]))
        given.setdefault("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
        if "PYSPARK_PYTHON" not in os.environ:
            given.setdefault("spark.pyspark.python", sys.executable)
    for name, value in given.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        if not is_submitted:
            spark.sparkContext.setLogLevel("ERROR")
        with _sightline_errors():
            yield spark
    finally:
        spark.stop()


@contextmanager
def _sightline_errors() -> Iterator[None]:
    """Convert errors of Spark to Sightline's, with the conditions of the jar."""
    try:
        yield
    except PySparkException as error:
        condition = error.getCondition() or ""
        text = str(error).partition("\n")[0].removeprefix(f"[{condition}] ")
        if condition not in error_conditions():
            raise SightlineError("RUN_FAILED", text) from error
        is_wrong_use = error_conditions()[condition]["exitStatus"] == 2
        raise (WrongUseError if is_wrong_use else SightlineError)(condition, text) from error
