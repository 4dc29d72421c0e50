"""The parts of the benchmark: regimes, cold starts and memory, each kept in one record."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.cold_and_memory import measure_cold, measure_memory
from harness.contenders import Contender, choose
from harness.errors import BenchError
from harness.machine import describe_setup
from harness.measure import Measurement, best_batch_rows, rows_of
from harness.record import Record, earlier_record, write_record
from harness.regimes import DEFAULT_SIZES, REGIMES, Calibration, Sizes, open_regime
from harness.targets import undecided

PARTS = (*REGIMES, "cold", "memory")
# What must be equal for a run to continue an interrupted one.
_SAME = ("commit", "machine", "versions", "rounds", "more_rounds", "chosen", "jobs")


@dataclass(frozen=True)
class BenchArguments:
    """What to measure.

    Args:
        parts: Some of PARTS.
        contenders: Names separated by commas; None: all.
        rounds: Jobs of each size per contender, at least 1.
        more_rounds: Further rounds of contenders whose targets are not decided, at least 0.
        sizes: Sizes of the jobs; None: those of each regime.
        work: Folder for inputs, outputs and logs.
        results: The record to write. Its other entries are kept.
        earlier: ``continued``: jobs of an interrupted run with the same arguments are kept;
            ``dropped``: everything is measured.
    """

    parts: tuple[str, ...]
    contenders: str | None
    rounds: int
    more_rounds: int
    sizes: Sizes | None
    work: Path
    results: Path
    earlier: str = "continued"


def run_benchmark(arguments: BenchArguments) -> Record:
    """Measure, write the record after each job, and return it.

    Raises:
        WrongUseError: UNKNOWN_CONTENDER.
        BenchError: BENCH_SETUP. WRONG_LABELS, after the record was written, if a contender that
            must give the labels of raw inference gave others.
    """
    chosen = choose(arguments.contenders)
    reduced = any(c.precision != "fp32" for c in chosen)
    for name in REGIMES:
        if name in arguments.parts:
            calibration: Calibration = "wanted" if reduced else "not wanted"
            _regime(arguments, name, chosen, calibration)
    for part, measure_part in (("cold", measure_cold), ("memory", measure_memory)):
        if part in arguments.parts:
            started, setup = time.time(), describe_setup()
            entry = measure_part(arguments.work, arguments.sizes, arguments.rounds)
            seconds = round(time.time() - started, 1)
            write_record(arguments.results, {part: {**setup, "seconds": seconds, "rows": entry}})
    record = earlier_record(arguments.results)
    require_labels(record, arguments.parts)
    return record


def require_labels(record: Record, parts: tuple[str, ...] = PARTS) -> None:
    """Check that no contender gave wrong labels.

    Raises:
        BenchError: WRONG_LABELS, naming the contenders.
    """
    wrong = [
        f"{row['name']} ({regime['name']}: {row['agreement']['same']:.1%} of the labels, "
        f"scores within {row['agreement']['max_delta']:.1e})"
        for regime in record.get("regimes", ())
        if regime["name"] in parts
        for row in regime.get("contenders", ())
        if (row["agreement"] or {}).get("verdict") == "wrong"
    ]
    if wrong:
        raise BenchError(
            "WRONG_LABELS",
            "with the decoder and precision of raw inference, labels or scores differ from it: "
            f"{'; '.join(wrong)}. Do not compare these figures.",
        )


def _regime(
    arguments: BenchArguments,
    name: str,
    chosen: tuple[Contender, ...],
    calibration: Calibration,
) -> None:
    """Measure one regime, or continue it, and write its entry after each job."""
    regime = open_regime(name, arguments.work, arguments.sizes, calibration)
    if isinstance(regime, str):
        _store(arguments.results, {"name": name, "skipped": regime})
        tqdm.write(f"{name}: skipped: {regime}", sys.stderr)
        return
    wanted: dict[str, Any] = {
        "name": name,
        "title": regime.title,
        "source": regime.source,
        "model": regime.model.name,
        "sets": [{"title": images.title, "share": images.share} for images in regime.sets],
        "jobs": [list(job) for job in regime.jobs],
        "calibration": regime.calibration,
        "chosen": arguments.contenders or "all",
        "rounds": arguments.rounds,
        "more_rounds": arguments.more_rounds,
        "skipped": None,
        **describe_setup(),
    }
    entry = _interrupted(arguments, wanted)
    if entry is None:
        rows = best_batch_rows(regime, arguments.work)
        entry = {**wanted, "batch_rows": rows, "seconds": 0.0, "contenders": []}
    else:
        tqdm.write(f"{name}: continues the run of {entry['started']}", sys.stderr)
    before, started = entry["seconds"], time.time()
    rows_measured = rows_of(regime, chosen, entry["contenders"])

    def save() -> None:
        entry["contenders"] = [row.to_json() for row in rows_measured]
        entry["seconds"] = round(before + time.time() - started, 1)
        _store(arguments.results, entry)

    with Measurement(
        regime, rows_measured, entry["batch_rows"], arguments.work, save
    ) as measurement:
        measurement.run(range(arguments.rounds))
        save()
        if "again" not in entry:
            entry["again"] = undecided(entry) if arguments.more_rounds else []
        last = arguments.rounds + arguments.more_rounds
        measurement.run(range(arguments.rounds, last), entry["again"])
    entry["finished"] = True
    save()


def _interrupted(arguments: BenchArguments, wanted: Record) -> Record | None:
    """Return the entry of an interrupted run with the same arguments on the same commit."""
    regimes = earlier_record(arguments.results).get("regimes", ())
    entry: Record | None = next((one for one in regimes if one["name"] == wanted["name"]), None)
    if entry is None or entry["skipped"] or entry.get("finished") or arguments.earlier == "dropped":
        return None
    return entry if all(entry.get(key) == wanted[key] for key in _SAME) else None


def _store(results: Path, entry: Record) -> None:
    """Write one regime's entry; those of the other regimes are kept."""
    others = [
        one for one in earlier_record(results).get("regimes", ()) if one["name"] != entry["name"]
    ]
    order = list(DEFAULT_SIZES)
    regimes = sorted([*others, entry], key=lambda one: order.index(one["name"]))
    write_record(results, {"regimes": regimes})
