"""What `bench pca` measured: time and memory by rows, beside numpy and scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.figures import figure
from harness.machine import measured_on

Record = dict[str, Any]
_EQUAL = 1e-4  # shares of the variance that differ by less are the same


def pca_section(growth: Record) -> str:
    """As Markdown."""
    done = [step for step in growth["steps"] if not step["spark"].get("skipped")]
    lines = [
        "| rows | wall s | CPU-s | one more row, ms | CPU-ms | JVM peak MiB "
        "| heap after GC, most MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    others = [
        "| rows | | wall s | peak MiB | `pca` takes × its time | × its CPU time "  # noqa: RUF001
        "| one more row: × its CPU time | variance |",  # noqa: RUF001
        "|---|---|---|---|---|---|---|---|",
    ]
    for step in growth["steps"]:
        before = next((one for one in reversed(done) if one["rows"] < step["rows"]), None)
        lines.append(_row(step, before))
        others += [_raw_row(step, raw, before) for raw in step["raw"]]
    parts = [
        f"## `pca` by rows: {growth['features']:,} features, {growth['k']} components",
        measured_on(growth)
        + f" Synthetic rows of 24 labels, three quarters for training; `--driver-memory "
        f"{growth['driver_memory']} --no-report`. Driver and executor are one JVM here. Spark had "
        "started before the clock did; what does not grow with the rows, the eigenvalues above "
        "all, is in the first size's time and not in `one more row`, which is told from the size "
        "before.",
        "\n".join(lines),
        _flatness(done),
        _stages(done),
        "\n".join(others),
    ]
    return "\n\n".join(part for part in parts if part)


def _row(step: Record, before: Record | None) -> str:
    rows, spark = step["rows"], step["spark"]
    if spark.get("skipped"):
        return f"| {rows:,} | not measured: {spark['skipped']} | | | | | |"
    more = ["", ""]
    if before is not None:
        more = [
            f"{_one_more(rows, spark, before['rows'], before['spark'], key):.3f}"
            for key in ("wall_s", "cpu_s")
        ]
    return (
        f"| {rows:,} | {figure(spark['wall_s'])} | {figure(spark['cpu_s'])} | {more[0]} "
        f"| {more[1]} | {spark['jvm_mib']:,} | {spark['heap_mib']:,} |"
    )


def _one_more(rows: int, used: Record, fewer: int, before: Record, key: str) -> float:
    """Milliseconds."""
    more: float = 1000 * (used[key] - before[key]) / (rows - fewer)
    return more


def _raw_row(step: Record, raw: Record, before: Record | None) -> str:
    rows, spark = step["rows"], step["spark"]
    if raw.get("skipped"):
        return f"| {rows:,} | {raw['name']} | not measured: {raw['skipped']} | | | | | |"
    wall = cpu = each = ""
    if not spark.get("skipped"):
        wall = figure(spark["wall_s"] / raw["wall_s"])
        cpu = figure(spark["cpu_s"] / raw["cpu_s"])
        each = _more_of(step, raw, before)
    apart = raw["apart"]
    same = "" if apart is None else f"apart by {apart:.0e} at most"
    if apart is not None and apart > _EQUAL:
        same = f"**wrong**: {same}"
    return (
        f"| {rows:,} | {raw['name']} | {figure(raw['wall_s'])} | {raw['peak_mib']:,} | {wall} "
        f"| {cpu} | {each} | {same} |"
    )


def _more_of(step: Record, raw: Record, before: Record | None) -> str:
    """Of one more row, how many times the raw program's CPU time."""
    if before is None:
        return ""
    rows, fewer = step["rows"], before["rows"]
    for other in before["raw"]:
        if other["name"] == raw["name"] and not other.get("skipped"):
            ours = _one_more(rows, step["spark"], fewer, before["spark"], "cpu_s")
            return figure(ours / _one_more(rows, raw, fewer, other, "cpu_s"))
    return ""


def _flatness(done: Sequence[Record]) -> str:
    if len(done) < 2:
        return ""
    first, last = done[0], done[-1]
    grown = last["rows"] / first["rows"]
    heap = last["spark"]["heap_mib"] / max(first["spark"]["heap_mib"], 1)
    jvm = last["spark"]["jvm_mib"] / first["spark"]["jvm_mib"]
    return (
        f"{grown:g} times the rows: {jvm:.2f} times the JVM's peak, {heap:.2f} times the heap that "
        "was left after a collection."
    )


def _stages(done: Sequence[Record]) -> str:
    names = list(dict.fromkeys(name for step in done for name in step["spark"]["seconds"]))
    if not names:
        return ""
    lines = [f"| seconds of rows | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for step in done:
        seconds = step["spark"]["seconds"]
        cells = [figure(seconds[name]) if name in seconds else "" for name in names]
        lines.append(f"| {step['rows']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)
