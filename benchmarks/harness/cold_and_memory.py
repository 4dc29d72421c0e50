"""Measures cold starts, and the memory of a worker by batch size and size of the images."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.contenders import CONTENDERS, Contender, Job, predict
from harness.coprocess import Coprocess
from harness.errors import BenchError
from harness.measure import regime_inputs, regime_program
from harness.programs import CLASS_ARCHIVE, QUICK_START, SPARK_PROGRAMS, sightline
from harness.regimes import Regime, Sizes, open_regime

_COLD_REGIME = "heavy"  # the cost of a start is the same in all
_COLD_BATCH_ROWS = 32
# Images per regime, and batch sizes; None: the default of `predict`.
_MEMORY: dict[str, tuple[int, tuple[int | None, ...]]] = {
    "heavy": (512, (None, 8, 32, 128)),
    "light": (512, (None, 32, 128)),
    "camera": (96, (None, 32)),
}


def measure_cold(work: Path, sizes: Sizes | None, rounds: int) -> list[dict[str, Any]]:
    """Measure from the start of each program to the end of its first small job.

    Spark's programs start twice: by default, and by the setting for short runs in the README.

    Returns:
        A row for each contender with a cold start and each way to start it, with one sample per
        round.
    """
    regime = open_regime(_COLD_REGIME, work, sizes)
    if isinstance(regime, str):
        return []
    starts: list[tuple[dict[str, Any], Contender, dict[str, str]]] = []
    for contender in CONTENDERS:
        if contender.cold != "cold":
            continue
        starts.append((_cold_row(regime, contender, "", ""), contender, {}))
        if contender.program in SPARK_PROGRAMS:
            row = _cold_row(regime, contender, "-quick-start", ", quick start of the JVM")
            if not CLASS_ARCHIVE.is_file():
                row["skipped"] = f"{CLASS_ARCHIVE} is missing. Run `make setup`."
            starts.append((row, contender, {"SPARK_SUBMIT_OPTS": QUICK_START}))
    for _ in range(rounds):
        for row, contender, environment in starts:
            if row["skipped"]:
                continue
            tqdm.write(f"cold: {row['name']}", sys.stderr)
            try:
                row["samples"].append(_cold_start(regime, contender, environment, work))
            except BenchError as error:
                row["skipped"] = error.message
    return [row for row, _, _ in starts]


def _cold_row(regime: Regime, contender: Contender, suffix: str, title: str) -> dict[str, Any]:
    return {
        "name": contender.name + suffix,
        "title": contender.title + title,
        "images": sum(regime.jobs_of(contender.share)[0]),
        "skipped": None,
        "samples": [],
    }


def _cold_start(
    regime: Regime, contender: Contender, environment: dict[str, str], work: Path
) -> dict[str, Any]:
    counts = regime.jobs_of(contender.share)[0]
    output = work / "outputs" / f"cold-{contender.name}"
    shutil.rmtree(output, ignore_errors=True)
    request = contender.request(
        Job(regime_inputs(regime, counts, work), output, regime.model, work / "scratch")
    )
    name = contender.program
    program = regime_program(regime, name, _COLD_BATCH_ROWS, work)
    program = replace(program, environment={**program.environment, **environment})
    log = f"{name}-cold{'-quick' if environment else ''}.log"
    try:
        with Coprocess(program, work / "logs" / log) as process:
            first, _ = process.ask(request, sum(counts))
            return process.since_start(first).to_json() | {
                "worker_mib": round(process.tree.largest_worker_mib(), 1),
                "jvm_mib": round(process.tree.jvm_mib(), 1),
            }
    finally:
        shutil.rmtree(output, ignore_errors=True)


def measure_memory(work: Path, sizes: Sizes | None, _: int) -> list[dict[str, Any]]:
    """Measure the peak RSS of a worker of `predict`, in a new application per batch size.

    Returns:
        An entry for each regime and batch size.
    """
    found: list[dict[str, Any]] = []
    for name, (images, batch_sizes) in _MEMORY.items():
        regime = open_regime(name, work, sizes)
        if isinstance(regime, str):
            continue
        total = images if sizes is None else min(images, sizes.images * sizes.times)
        counts = tuple(max(round(total * one.share), 1) for one in regime.sets)
        inputs = regime_inputs(regime, counts, work)
        for rows in batch_sizes:
            tqdm.write(f"memory: {name}, batch rows {rows or 'default'}", sys.stderr)
            output = work / "outputs" / f"memory-{name}-{rows}"
            shutil.rmtree(output, ignore_errors=True)
            options = () if rows is None else ("--batch-rows", str(rows))
            request = predict("packed", *options)(
                Job(inputs, output, regime.model, work / "scratch")
            )
            entry: dict[str, Any] = {"regime": name, "batch_rows": rows}
            entry["bytes"] = round(_mean_bytes(inputs.folder))
            try:
                log = work / "logs" / f"memory-{name}-{rows}.log"
                with Coprocess(sightline(), log) as process:
                    process.ask(request, sum(counts))
                    entry["worker_mib"] = round(process.tree.largest_worker_mib())
                    entry["jvm_mib"] = round(process.tree.jvm_mib())
            except BenchError as error:
                entry["skipped"] = error.message
            finally:
                shutil.rmtree(output, ignore_errors=True)
            found.append(entry)
    return found


def _mean_bytes(folder: Path) -> float:
    sizes = [file.stat().st_size for file in folder.iterdir()]
    return sum(sizes) / len(sizes)
