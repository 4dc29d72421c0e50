"""Measures time and driver memory of `pca` as the rows grow, beside numpy and scikit-learn."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from harness.checkout import CONTENDERS, require_jar
from harness.coprocess import Coprocess, Program
from harness.errors import BenchError
from harness.machine import describe_setup
from harness.programs import sightline
from harness.record import write_record
from harness.synthetic_features import write_features

FEATURES = 1280
_RAW = ("numpy", "scikit-learn")
_LIMIT_S = 7200.0
# [12.3s][info][gc] GC(7) Pause Young (Normal) (G1 Evacuation Pause) 512M->134M(2048M) 12.3ms
_COLLECTION = re.compile(r"Pause .* (\d+)M->(\d+)M\((\d+)M\)")
_COPIES = 3  # of all rows, in the memory of scikit-learn
_FREE_SHARE = 0.5  # of the free memory, for scikit-learn


@dataclass(frozen=True)
class PcaArguments:
    """What to measure.

    Args:
        work: Folder for features, outputs and logs.
        results: The record; its entry ``pca`` is written.
        rows: Rows of each table.
        k: Number of components.
        driver_memory: Limit of the heap, as spark-submit takes it: ``2g``.
    """

    work: Path
    results: Path
    rows: Sequence[int]
    k: int
    driver_memory: str


def measure_pca(arguments: PcaArguments) -> dict[str, Any]:
    """Measure, write the entry of the record after each table, and return it.

    Raises:
        WrongUseError: NO_JAR.
    """
    started = time.time()
    require_jar()
    growth: dict[str, Any] = {
        **describe_setup(),
        "features": FEATURES,
        "k": arguments.k,
        "driver_memory": arguments.driver_memory,
        "steps": [],
    }
    for rows in sorted(set(arguments.rows)):
        tqdm.write(f"pca: {rows:,} rows", sys.stderr)
        growth["steps"].append(_step(arguments, rows))
        growth["seconds"] = round(time.time() - started, 1)
        write_record(arguments.results, {"pca": growth})
    return growth


def heap_mib(log: Path) -> tuple[int, int]:
    """Return the largest heap after a garbage collection, MiB, and the number of collections.

    Args:
        log: Written by ``-Xlog:gc`` of the JVM.
    """
    found = _COLLECTION.findall(log.read_text("utf-8", "replace"))
    return max((int(after) for _, after, _ in found), default=0), len(found)


def _step(arguments: PcaArguments, rows: int) -> dict[str, Any]:
    table = arguments.work / f"inputs/pca-{rows}"
    shutil.rmtree(table, ignore_errors=True)
    write_features(table, rows, FEATURES)
    step: dict[str, Any] = {"rows": rows}
    try:
        step["spark"], variance = _spark(arguments, rows, table)
        step["raw"] = [_raw(arguments, name, rows, table, variance) for name in _RAW]
    finally:
        shutil.rmtree(table, ignore_errors=True)
    return step


def _spark(
    arguments: PcaArguments, rows: int, table: Path
) -> tuple[dict[str, Any], Sequence[float]]:
    """Run `pca` in a running application with a limited heap.

    Returns:
        The figures, and the explained variance of each component.
    """
    run = arguments.work / "outputs/pca"
    gc_log = arguments.work / f"logs/pca-{rows}-gc.log"
    shutil.rmtree(run, ignore_errors=True)
    gc_log.parent.mkdir(parents=True, exist_ok=True)
    java = f"-Xlog:gc:file={shlex.quote(str(gc_log))}"
    settings = ("--driver-memory", arguments.driver_memory, "--driver-java-options", java)
    request = f"pca --features {shlex.quote(str(table))} --k {arguments.k} --no-report "
    request += f"--output {shlex.quote(str(run))}"
    try:
        log = arguments.work / f"logs/pca-{rows}.log"
        with Coprocess(sightline(*settings), log) as process:
            start, _ = process.ask('sql -e "SELECT 1"', 1)  # measures the start of Spark
            usage, _ = process.ask(request, rows, _LIMIT_S)
            jvm = round(process.tree.jvm_mib())
        record = json.loads((run / "run.json").read_text("utf-8"))
        heap, collections = heap_mib(gc_log)
        found = {
            **usage.to_step(),
            "peak_mib": round(usage.peak_mib),
            "start_s": round(start.wall_s, 2),
            "jvm_mib": jvm,
            "heap_mib": heap,
            "collections": collections,
            "seconds": record["seconds"],
        }
        return found, record["pca"]["explained_variance"]
    except BenchError as error:
        return {"skipped": error.message}, ()
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _raw(
    arguments: PcaArguments, name: str, rows: int, table: Path, variance: Sequence[float]
) -> dict[str, Any]:
    """Run the same PCA by numpy or scikit-learn (benchmarks/contenders/raw_pca.py)."""
    needed, free = rows * FEATURES * 4 * _COPIES, psutil.virtual_memory().available
    if name == "scikit-learn" and needed > free * _FREE_SHARE:
        why = f"needs {needed / 2**30:.1f} GiB, more than half of the free {free / 2**30:.1f}"
        return {"name": name, "skipped": why}
    output = arguments.work / "outputs/pca-raw"
    shutil.rmtree(output, ignore_errors=True)
    values = {"shape": name, "images": rows, "features": str(table), "k": arguments.k}
    script = (sys.executable, str(CONTENDERS / "raw_pca.py"))
    program = Program(f"pca by {name}", script, {"PYTHONPATH": str(CONTENDERS)})
    try:
        with Coprocess(program, arguments.work / f"logs/pca-{name}-{rows}.log") as process:
            request = json.dumps(values | {"output": str(output)})
            usage, _ = process.ask(request, rows, _LIMIT_S)
        other = json.loads((output / "run.json").read_text("utf-8"))["explained_variance"]
        differences = [abs(a - b) for a, b in zip(variance, other, strict=False)]
        figures = usage.to_step() | {"peak_mib": round(usage.peak_mib)}
        return {"name": name, "apart": max(differences, default=None)} | figures
    except BenchError as error:
        return {"name": name, "skipped": error.message}
    finally:
        shutil.rmtree(output, ignore_errors=True)
