"""Time and driver memory of `pca` as the rows grow, beside numpy and scikit-learn."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from harness.benchmark import write_record
from harness.catalogue import sightline
from harness.coprocess import Coprocess, Program
from harness.figures import Usage
from harness.machine import describe_commit, describe_machine, describe_versions
from harness.pca_rows import write_rows
from harness.scaling import require_jar
from sightline.errors import SightlineError

FEATURES = 1280
_LIMIT_S = 7200.0
# [12.3s][info][gc] GC(7) Pause Young (Normal) (G1 Evacuation Pause) 512M->134M(2048M) 12.3ms
_COLLECTED = re.compile(r"Pause .* (\d+)M->(\d+)M\((\d+)M\)")
_COPIES = 3  # of all rows, that scikit-learn holds at one time
_SPARE = 0.5  # of the memory that is free, for scikit-learn


@dataclass(frozen=True)
class PcaArguments:
    """What is measured.

    Args:
        repository: The checkout.
        work: Where rows, outputs and logs go.
        output: The record, whose entry ``pca`` is written.
        rows: Of each table, ascending.
        k: Components.
        driver_memory: The heap's limit, as spark-submit takes it: ``2g``.
    """

    repository: Path
    work: Path
    output: Path
    rows: Sequence[int]
    k: int
    driver_memory: str


def measure_pca(arguments: PcaArguments) -> dict[str, Any]:
    """Measure, write it into the record after each table, and give it.

    Raises:
        WrongUseError: NO_JAR.
    """
    started = time.time()
    require_jar(arguments.repository)
    growth: dict[str, Any] = {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": describe_versions(arguments.repository),
        "commit": describe_commit(arguments.repository),
        "features": FEATURES,
        "k": arguments.k,
        "driver_memory": arguments.driver_memory,
        "steps": [],
    }
    for rows in sorted(set(arguments.rows)):
        tqdm.write(f"pca: {rows:,} rows", sys.stderr)
        growth["steps"].append(_step(arguments, rows))
        growth["seconds"] = round(time.time() - started, 1)
        write_record(arguments.output, {"format": 1, "pca": growth})
    return growth


def heap_mib(log: Path) -> tuple[int, int]:
    """The most that a collection of garbage left in a JVM's heap, MiB, and how many there were.

    Args:
        log: As the JVM's ``-Xlog:gc`` writes it.
    """
    found = _COLLECTED.findall(log.read_text("utf-8", "replace"))
    return max((int(after) for _, after, _ in found), default=0), len(found)


def _step(arguments: PcaArguments, rows: int) -> dict[str, Any]:
    table = arguments.work / f"inputs/pca-{rows}"
    shutil.rmtree(table, ignore_errors=True)
    write_rows(table, rows, FEATURES)
    step: dict[str, Any] = {"rows": rows}
    try:
        step["spark"], shares = _spark(arguments, rows, table)
        step["raw"] = [_raw(arguments, name, rows, table, shares) for name in _RAW]
    finally:
        shutil.rmtree(table, ignore_errors=True)
    return step


def _spark(
    arguments: PcaArguments, rows: int, table: Path
) -> tuple[dict[str, Any], Sequence[float]]:
    """`pca` in an application that has started already, on a heap of fixed size."""
    run = arguments.work / "outputs/pca"
    collected = arguments.work / f"logs/pca-{rows}-gc.log"
    shutil.rmtree(run, ignore_errors=True)
    collected.parent.mkdir(parents=True, exist_ok=True)
    log_collections = f"-Xlog:gc:file={shlex.quote(str(collected))}"
    memory = ("--driver-memory", arguments.driver_memory)
    settings = (*memory, "--driver-java-options", log_collections)
    line = f"pca --features {shlex.quote(str(table))} --k {arguments.k} --no-report "
    line += f"--output {shlex.quote(str(run))}"
    try:
        log = arguments.work / f"logs/pca-{rows}.log"
        with Coprocess(sightline(arguments.repository, *settings), log) as process:
            start, _ = process.ask('sql -e "SELECT 1"', 1)  # Spark's own start is told apart
            usage, _ = process.ask(line, rows, _LIMIT_S)
            jvm = round(process.tree.jvm_mib())
        record = json.loads((run / "run.json").read_text("utf-8"))
        heap, collections = heap_mib(collected)
        found = _used(usage) | {"start_s": round(start.wall_s, 2), "jvm_mib": jvm}
        found |= {"heap_mib": heap, "collections": collections, "seconds": record["seconds"]}
        return found, record["pca"]["explained_variance"]
    except SightlineError as error:
        return {"skipped": error.message}, ()
    finally:
        shutil.rmtree(run, ignore_errors=True)


_RAW = ("numpy", "scikit-learn")


def _raw(
    arguments: PcaArguments, name: str, rows: int, table: Path, shares: Sequence[float]
) -> dict[str, Any]:
    """One of benchmarks/contenders/raw_pca.py, in a process of its own."""
    needed, free = rows * FEATURES * 4 * _COPIES, psutil.virtual_memory().available
    if name == "scikit-learn" and needed > free * _SPARE:
        why = f"needs {needed / 2**30:.1f} GiB, more than half of the free {free / 2**30:.1f}"
        return {"name": name, "skipped": why}
    output = arguments.work / "outputs/pca-raw"
    shutil.rmtree(output, ignore_errors=True)
    question = {"shape": name, "images": rows, "features": str(table), "k": arguments.k}
    here = arguments.repository / "benchmarks/contenders"
    script = (sys.executable, str(here / "raw_pca.py"))
    raw = Program(f"pca by {name}", script, {"PYTHONPATH": str(here)})
    try:
        with Coprocess(raw, arguments.work / f"logs/pca-{name}-{rows}.log") as process:
            asked = json.dumps(question | {"output": str(output)})
            usage, _ = process.ask(asked, rows, _LIMIT_S)
        told = json.loads((output / "run.json").read_text("utf-8"))["explained_variance"]
        apart = [abs(one - other) for one, other in zip(shares, told, strict=False)]
        return {"name": name, "apart": max(apart, default=None)} | _used(usage)
    except SightlineError as error:
        return {"name": name, "skipped": error.message}
    finally:
        shutil.rmtree(output, ignore_errors=True)


def _used(usage: Usage) -> dict[str, float]:
    return {
        "wall_s": round(usage.wall_s, 2),
        "cpu_s": round(usage.cpu_s, 2),
        "peak_mib": round(usage.peak_mib),
    }
