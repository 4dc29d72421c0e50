"""The section of docs/growth.md on `pca` by rows, beside numpy and scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

from harness.machine import measured_on
from harness.record import Record
from harness.statistics import figure

_EQUAL = 1e-4  # maximum difference of two equal shares of variance


def pca_section(growth: Record) -> str:
    """Return Markdown: time, memory, stages, and ratios to numpy and scikit-learn."""
    done = [step for step in growth["steps"] if not step["spark"].get("skipped")]
    lines = [
        "| rows | wall s | CPU-s | one more row, ms | CPU-ms | JVM peak MiB "
        "| largest heap after GC, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    others = [
        "| rows | | wall s | peak MiB | time of `pca` / its time | CPU time / its CPU time "
        "| one more row: CPU time / its CPU time | explained variance |",
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
        f"{growth['driver_memory']} --no-report`. Driver and executor are one JVM here. The time "
        "excludes the start of Spark. `One more row` is the difference to the size before, so it "
        "excludes costs that do not grow with the rows, mainly the eigenvalues.",
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
    """Return the milliseconds of one more row."""
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
    same = "" if apart is None else f"differs by at most {apart:.0e}"
    if apart is not None and apart > _EQUAL:
        same = f"**wrong**: {same}"
    return (
        f"| {rows:,} | {raw['name']} | {figure(raw['wall_s'])} | {raw['peak_mib']:,} | {wall} "
        f"| {cpu} | {each} | {same} |"
    )


def _more_of(step: Record, raw: Record, before: Record | None) -> str:
    """Return the CPU time of one more row, as a multiple of the raw program's."""
    if before is None:
        return ""
    rows, fewer = step["rows"], before["rows"]
    for other in before["raw"]:
        if other["name"] == raw["name"] and not other.get("skipped"):
            own = _one_more(rows, step["spark"], fewer, before["spark"], "cpu_s")
            return figure(own / _one_more(rows, raw, fewer, other, "cpu_s"))
    return ""


def _flatness(done: Sequence[Record]) -> str:
    if len(done) < 2:
        return ""
    first, last = done[0], done[-1]
    grown = last["rows"] / first["rows"]
    heap = last["spark"]["heap_mib"] / max(first["spark"]["heap_mib"], 1)
    jvm = last["spark"]["jvm_mib"] / first["spark"]["jvm_mib"]
    return (
        f"{grown:g} times the rows: {jvm:.2f} times the peak memory of the JVM, {heap:.2f} times "
        "the heap after garbage collection."
    )


def _stages(done: Sequence[Record]) -> str:
    names = list(dict.fromkeys(name for step in done for name in step["spark"]["seconds"]))
    if not names:
        return ""
    lines = [f"| rows: seconds of | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for step in done:
        seconds = step["spark"]["seconds"]
        cells = [figure(seconds[name]) if name in seconds else "" for name in names]
        lines.append(f"| {step['rows']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)
