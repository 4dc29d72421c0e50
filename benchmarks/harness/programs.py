"""The programs that run the contenders: how each is started, and the packages that peers need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.checkout import BENCHMARKS, CONTENDERS, JAR, REPOSITORY
from harness.coprocess import Program
from harness.errors import BenchError
from harness.machine import usable_cores

# Scripts in benchmarks/contenders. The program sightline is the jar.
_SCRIPTS = {
    "parts": "parts_and_loops.py",
    "engine": "engine_alone.py",
    "pyspark": "spark_peers.py",
    "ray": "ray_data.py",
    "daft": "daft_frame.py",
}
PROGRAMS = ("sightline", *_SCRIPTS)
SPARK_PROGRAMS = ("sightline", "pyspark")
# The README's setting for short runs; `make setup` makes the archive.
CLASS_ARCHIVE = REPOSITORY / ".tools/spark.jsa"
QUICK_START = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:SharedArchiveFile='{CLASS_ARCHIVE}'"


def find_program(name: str, model: Path, images: Path, work: Path, batch_rows: int) -> Program:
    """Return a contender's program, and install its packages first if it is a peer.

    Args:
        name: One of PROGRAMS.
        model: Folder of the bundle.
        images: Folder with the images of a full job, for programs that hold them in memory.
        work: Folder where the packages of peers are installed.
        batch_rows: Images in a batch of the model for tuned programs, at least 1.

    Raises:
        BenchError: BENCH_PROGRAM_ABSENT if the jar is missing or packages cannot be installed.
    """
    if name == "sightline":
        if not JAR.is_file():
            raise BenchError("BENCH_PROGRAM_ABSENT", f"{JAR} is missing. Run `make setup`.")
        return sightline()
    python, paths, error = Path(sys.executable), [CONTENDERS], None
    if name in ("ray", "daft"):
        python, error = _peer_environment(work / "peers")
    elif name == "pyspark":
        paths.append(work / "pandas")
        error = _pandas_packages(work / "pandas")
    elif name == "engine":
        paths.append(REPOSITORY / "python/src")
    if error is not None:
        raise BenchError("BENCH_PROGRAM_ABSENT", error)
    arguments = (str(model), str(images), str(batch_rows))
    command = (str(python), str(CONTENDERS / _SCRIPTS[name]), *arguments)
    return Program(name, command, {"PYTHONPATH": os.pathsep.join(map(str, paths))})


def sightline(*settings: str) -> Program:
    """Return one Spark application that reads commands of the jar from standard input.

    Args:
        settings: Further arguments of spark-submit. They override the ones given here.
    """
    spark = ("spark-submit", "--master", f"local[{usable_cores()}]")
    defaults = ("--conf", "spark.ui.enabled=false", "--driver-memory", "2g")
    command = (*spark, *defaults, *settings, str(JAR), "commands", "--file", "-")
    return Program("sightline", command, ready="at_once")


def _peer_environment(folder: Path) -> tuple[Path, str | None]:
    """Make the environment of Ray and Daft once; return its Python, and an error or None."""
    wanted, python = BENCHMARKS / "peers.txt", folder / "bin/python"
    make = ["venv", "--quiet", "--python", sys.executable, "--clear", str(folder)]
    install = ["pip", "install", "--quiet", "--python", str(python), "-r", str(wanted)]
    return python, _install(wanted, folder, [make, install])


def _pandas_packages(folder: Path) -> str | None:
    """Install once what PySpark's pandas functions need; return an error or None."""
    wanted = BENCHMARKS / "spark_peers.txt"
    install = ["pip", "install", "--quiet", "--python", sys.executable]
    install += ["--target", str(folder), "--no-deps", "-r", str(wanted)]
    return _install(wanted, folder, [install])


def _install(wanted: Path, folder: Path, commands: list[list[str]]) -> str | None:
    """Run uv if the requirements changed since the last time; return an error or None."""
    requirements, installed = wanted.read_text("utf-8"), folder / "installed.txt"
    if installed.is_file() and installed.read_text("utf-8") == requirements:
        return None
    uv = str(Path(sys.executable).with_name("uv"))
    for arguments in commands:
        try:
            run = subprocess.run(  # noqa: S603 - uv of this environment
                [uv, *arguments], capture_output=True, text=True, check=False
            )
        except OSError as error:
            return f"uv cannot be run: {error}"
        if run.returncode != 0:
            last = (run.stderr.strip().splitlines() or ["uv printed no error"])[-1]
            return f"{wanted.name} could not be installed: {last}"
    installed.write_text(requirements, "utf-8")
    return None
