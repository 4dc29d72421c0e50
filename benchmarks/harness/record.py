"""The record of a benchmark, a JSON file, and the figures that tables take from it."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from harness.errors import WrongUseError
from harness.statistics import spread

Record = dict[str, Any]
FORMAT = 1
_STEADY = 0.5  # maximum range of the rounds, as a share of their median
# Counters of the worker in run.json, CPU seconds, and their names in tables.
_STAGES = {
    "read_cpu_s": "read",
    "decode_cpu_s": "decode",
    "infer_cpu_s": "infer",
    "result_cpu_s": "result",
}
# Counters of elapsed seconds.
_WAITS = {"read_wait_s": "waited for input", "thread_wait_s": "waited for a worker thread"}


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        WrongUseError: NO_RESULTS if there is none, or one of another format.
    """
    try:
        record: Record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} is no record of the benchmark ({error}). Run `make bench` first."
        raise WrongUseError("NO_RESULTS", message) from error
    if record.get("format") != FORMAT:
        message = f"{path} has another format. Run `make bench`."
        raise WrongUseError("NO_RESULTS", message)
    return record


def write_record(path: Path, record: Record) -> None:
    """Write the entries of a record. Other entries of an existing file are kept."""
    kept = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if kept.get("format", FORMAT) != FORMAT:
        kept = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = kept | {"format": FORMAT} | record
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")


def raw_limit(regime: Record) -> float | None:
    """Return CPU-ms per image of raw decoding + raw inference; None if one was not measured."""
    parts = [cpu_ms(regime, name) for name in ("raw-inference", "raw-decode")]
    return None if None in parts else sum(part for part in parts if part is not None)


def cpu_ms(regime: Record, name: str, key: str = "cpu_ms") -> float | None:
    """Return the median of a contender's warm samples; None if there are none.

    Args:
        regime: From a record.
        name: Of the contender.
        key: ``cpu_ms`` or ``wall_ms``.
    """
    for row in regime.get("contenders", ()):
        if row["name"] == name and not row["skipped"]:
            measured = spread([pair[key] for pair in row["warm"]])
            return None if measured is None else measured.median
    return None


def is_steady(row: Record, key: str) -> bool:
    """Whether a contender's rounds differ by less than half of their median."""
    measured = spread([pair[key] for pair in row["warm"]])
    return measured is not None and measured.most - measured.least < _STEADY * measured.median


def stages(row: Record) -> dict[str, float] | None:
    """Return the time of one image by stage, for a contender with the engine's counters.

    Returns:
        Medians over the rounds, in milliseconds. CPU time: ``jvm``, the stages of the worker, and
        ``worker, other`` for the rest of the Python processes. Elapsed time: the waits. None
        without counters.
    """
    pairs = [pair for pair in row["warm"] if pair["large"].get("counters", {}).get("images")]
    if row["skipped"] or not pairs:
        return None
    table: dict[str, list[float]] = {}
    for pair in pairs:
        worker = _marginal_counters(pair, _STAGES)
        kinds = pair["cpu_ms_by"]
        parts = {"jvm": kinds.get("jvm", 0.0), **worker}
        parts["worker, other"] = kinds.get("python", 0.0) - sum(worker.values())
        for name, value in (parts | _marginal_counters(pair, _WAITS)).items():
            table.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in table.items()}


def _marginal_counters(pair: Record, names: dict[str, str]) -> dict[str, float]:
    """Return the milliseconds of one more image, by counter."""
    small, large = pair["small"].get("counters", {}), pair["large"]["counters"]
    images = pair["large"]["images"] - pair["small"]["images"]
    return {
        title: 1000 * (large[name] - small.get(name, 0.0)) / images
        for name, title in names.items()
        if name in large
    }
