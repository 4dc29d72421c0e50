"""The whole benchmark: both regimes, the memory of a worker, and repeated rounds."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from harness.contenders import CONTENDERS, Job, choose, predict
from harness.coprocess import Coprocess
from harness.errors import BenchError
from harness.inputs import prepare_inputs
from harness.machine import describe_setup, now
from harness.measure import measure
from harness.programs import sightline
from harness.record import FORMAT, Record, cpu_ms, read_record, write_record
from harness.regimes import Calibration, Regime, open_regime

_MEMORY_BATCH_ROWS = (8, 32, 128)
_MEMORY_BATCHES = 4  # of the largest size; more does not change the peak
_CLOSE = 1.3  # maximum cost of a close peer, as a multiple of spark-parquet's
_OWN = ("spark-parquet", "spark-folder")


@dataclass(frozen=True)
class BenchArguments:
    """What to measure.

    Args:
        regimes: ``heavy``, ``light``.
        contenders: Names separated by commas; None: all.
        rounds: Samples per contender, at least 1.
        images: Images of a full job; None: the default of the regime.
        memory: Whether to measure the memory of a worker by batch size.
        work: Folder for inputs, outputs and logs.
        results: The record to write. Its entries on growth are kept.
    """

    regimes: tuple[str, ...]
    contenders: str | None
    rounds: int
    images: int | None
    memory: Literal["measured", "left out"]
    work: Path
    results: Path


def run_benchmark(arguments: BenchArguments) -> Record:
    """Measure, write the record, and return it.

    Raises:
        WrongUseError: UNKNOWN_CONTENDER.
        BenchError: BENCH_SETUP. WRONG_LABELS, after the record was written, if a contender that
            must give the labels of raw inference gave others.
    """
    started = time.time()
    chosen = choose(arguments.contenders)
    record: Record = {
        "format": FORMAT,
        **describe_setup(),
        "rounds": arguments.rounds,
        "contenders": arguments.contenders or "all",
        "regimes": [],
        "memory": [],
    }
    reduced = any(c.labels == "alike" and c.program == "sightline" for c in chosen)
    calibration: Calibration = "wanted" if reduced else "not wanted"
    for name in arguments.regimes:
        regime = open_regime(name, arguments.work, arguments.images, calibration)
        if isinstance(regime, str):
            record["regimes"].append({"name": name, "skipped": regime})
            tqdm.write(f"{name}: skipped: {regime}", sys.stderr)
            continue
        rows = measure(regime, chosen, arguments.rounds, arguments.work)
        record["regimes"].append(
            {
                "name": name,
                "title": regime.title,
                "source": regime.source,
                "model": regime.model.name,
                "images": regime.images,
                "calibration": regime.calibration,
                "skipped": None,
                "contenders": [row.to_json() for row in rows],
            }
        )
        if arguments.memory == "measured":
            record["memory"] += _measure_memory(regime, arguments.work)
        record["seconds"] = round(time.time() - started, 1)
        write_record(arguments.results, record)  # an interrupted run keeps the first regime
    record["seconds"] = round(time.time() - started, 1)
    write_record(arguments.results, record)
    require_labels(record)
    return record


def require_labels(record: Record) -> None:
    """Check that no contender gave wrong labels.

    Raises:
        BenchError: WRONG_LABELS, naming the contenders.
    """
    wrong = [
        f"{row['name']} ({regime['name']}: {row['agreement']['same']:.1%} of the labels, "
        f"scores within {row['agreement']['max_delta']:.1e})"
        for regime in record["regimes"]
        for row in regime.get("contenders", ())
        if (row["agreement"] or {}).get("verdict") == "wrong"
    ]
    if wrong:
        raise BenchError(
            "WRONG_LABELS",
            "with the decoder and precision of raw inference, labels or scores differ from it: "
            f"{'; '.join(wrong)}. Do not compare these figures.",
        )


def _measure_memory(regime: Regime, work: Path) -> list[dict[str, Any]]:
    """Measure the peak RSS of a worker of `predict`, in a new application per batch size."""
    images = _MEMORY_BATCH_ROWS[-1] * _MEMORY_BATCHES
    inputs = prepare_inputs(regime.files, images, work / "inputs" / f"{regime.name}-{images}")
    found: list[dict[str, Any]] = []
    for rows in _MEMORY_BATCH_ROWS:
        output = work / "outputs" / f"memory-{regime.name}-{rows}"
        shutil.rmtree(output, ignore_errors=True)
        job = Job(inputs, output, regime.model, work / "scratch")
        request = predict("packed", "--batch-rows", str(rows))(job)
        entry: dict[str, Any] = {"model": regime.model.name, "batch_rows": rows}
        try:
            log = work / "logs" / f"memory-{regime.name}-{rows}.log"
            with Coprocess(sightline(), log) as process:
                process.ask(request, images)
                entry["worker_mib"] = round(process.tree.largest_worker_mib())
                entry["jvm_mib"] = round(process.tree.jvm_mib())
        except BenchError as error:
            entry["skipped"] = error.message
        shutil.rmtree(output, ignore_errors=True)
        found.append(entry)
    return found


def measure_closest(work: Path, results: Path, rounds: int) -> Record:
    """Measure more rounds of the contenders with similar costs, with full jobs.

    The samples are added to the record.

    Args:
        work: Folder for inputs, outputs and logs.
        results: The record of `run_benchmark`.
        rounds: Further samples per contender, at least 1.

    Raises:
        WrongUseError: NO_RESULTS.
        BenchError: BENCH_SETUP.
    """
    record = read_record(results)
    for measured in record.get("regimes", ()):
        if measured["skipped"]:
            continue
        regime = open_regime(measured["name"], work, measured["images"], "wanted")
        if isinstance(regime, str):
            continue
        names = closest(measured)
        chosen = tuple(
            replace(contender, share=1.0, cold="warm only")
            for contender in CONTENDERS
            if contender.name in names
        )
        started = now()
        rows = {row.contender.name: row for row in measure(regime, chosen, rounds, work)}
        for row in measured["contenders"]:
            if row["name"] in rows:
                row["warm"] += rows[row["name"]].warm
        again = {"started": started, "rounds": rounds, "names": list(rows)}
        measured.setdefault("again", []).append(again)
        write_record(results, record)
    return record


def closest(regime: Record) -> list[str]:
    """Return the names of the contenders worth more rounds.

    These are the raw parts, spark-parquet and spark-folder, Sightline with reduced precision, and
    tuned peers that cost at most 1.3 times as much as spark-parquet.
    """
    own = cpu_ms(regime, _OWN[0]) or 0.0
    return [
        row["name"]
        for row in regime["contenders"]
        if not row["skipped"] and row["documented"] == "tuned"
        if row["family"] == "raw"
        or row["name"] in _OWN
        or (row["family"] == "sightline" and row["precision"] != "fp32")
        or (row["family"] == "peer" and (cpu_ms(regime, row["name"]) or 0.0) <= _CLOSE * own)
    ]
