"""What an image's time is made of in Sightline: from its own counters and from its processes."""

from __future__ import annotations

import statistics
from typing import Any

# What the worker's counters of CPU seconds are called in the table; the rest of the worker's
# time is what is left: Arrow from and to the JVM, Python itself.
COUNTED = {
    "read_cpu_s": "read",
    "decode_cpu_s": "decode",
    "infer_cpu_s": "infer",
    "result_cpu_s": "result",
}
WAITS = {"read_wait_s": "waited for input", "thread_wait_s": "waited for a worker thread"}


def gap(row: dict[str, Any]) -> dict[str, float] | None:
    """CPU-ms an image by stage, of one contender of Spark: medians over its rounds.

    ``jvm`` lists, reads, sends and writes; ``worker, other`` is the rest of the Python workers.
    None without counters.
    """
    pairs = [pair for pair in row["warm"] if pair["large"].get("counters", {}).get("images")]
    if row["skipped"] or not pairs:
        return None
    table: dict[str, list[float]] = {}
    for pair in pairs:
        stages = _more(pair, COUNTED)
        kinds = pair["cpu_ms_by"]
        parts = {"jvm": kinds.get("jvm", 0.0), **stages}
        parts["worker, other"] = kinds.get("python", 0.0) - sum(stages.values())
        for name, value in (parts | _more(pair, WAITS)).items():
            table.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in table.items()}


def _more(pair: dict[str, Any], names: dict[str, str]) -> dict[str, float]:
    """Milliseconds that one more image took by each counter."""
    small, large = pair["small"].get("counters", {}), pair["large"]["counters"]
    images = pair["large"]["images"] - pair["small"]["images"]
    return {
        title: 1000 * (large[name] - small.get(name, 0.0)) / images
        for name, title in names.items()
        if name in large
    }
