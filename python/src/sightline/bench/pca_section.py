"""What `bench pca` measured: time and memory by rows, beside numpy and scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sightline.bench.figures import figure, fit
from sightline.bench.machine import measured_on

Record = dict[str, Any]
_EQUAL = 1e-4  # shares of the variance that differ by less are the same


def pca_section(growth: Record) -> str:
    """As Markdown."""
    lines = [
        "| rows | wall s | ms a row | CPU-s | JVM peak MiB | heap after GC, most MiB |",
        "|---|---|---|---|---|---|",
    ]
    done, others = (
        [],
        [
            "| rows | | wall s | peak MiB | `pca` takes × its time | × its CPU time | variance |",  # noqa: RUF001
            "|---|---|---|---|---|---|---|",
        ],
    )
    for step in growth["steps"]:
        rows, spark = step["rows"], step["spark"]
        if spark.get("skipped"):
            lines.append(f"| {rows:,} | not measured: {spark['skipped']} | | | | |")
        else:
            done.append(step)
            each = figure(1000 * spark["wall_s"] / rows)
            lines.append(
                f"| {rows:,} | {figure(spark['wall_s'])} | {each} | {figure(spark['cpu_s'])} "
                f"| {spark['jvm_mib']:,} | {spark['heap_mib']:,} |"
            )
        others += [_raw_row(rows, spark, raw) for raw in step["raw"]]
    parts = [
        f"## `pca` by rows: {growth['features']:,} features, {growth['k']} components",
        measured_on(growth)
        + f" Synthetic rows of 24 labels, three quarters for training; `--driver-memory "
        f"{growth['driver_memory']}`. Driver and executor are one JVM here. Spark had started "
        "before the clock did.",
        "\n".join(lines),
        _flatness(done),
        _stages(done),
        "\n".join(others),
    ]
    return "\n\n".join(part for part in parts if part)


def _raw_row(rows: int, spark: Record, raw: Record) -> str:
    if raw.get("skipped"):
        return f"| {rows:,} | {raw['name']} | not measured: {raw['skipped']} | | | | |"
    ratios = " | | "
    if not spark.get("skipped"):
        wall, cpu = spark["wall_s"] / raw["wall_s"], spark["cpu_s"] / raw["cpu_s"]
        ratios = f" | {figure(wall)} | {figure(cpu)} | "
    apart = raw["apart"]
    same = "" if apart is None else f"apart by {apart:.0e} at most"
    if apart is not None and apart > _EQUAL:
        same = f"**wrong**: {same}"
    return (
        f"| {rows:,} | {raw['name']} | {figure(raw['wall_s'])} | {raw['peak_mib']:,}"
        f"{ratios}{same} |"
    )


def _flatness(done: Sequence[Record]) -> str:
    if len(done) < 2:
        return ""
    first, last = done[0], done[-1]
    line = fit([step["rows"] for step in done], [step["spark"]["wall_s"] for step in done])
    grown = last["rows"] / first["rows"]
    heap = last["spark"]["heap_mib"] / max(first["spark"]["heap_mib"], 1)
    jvm = last["spark"]["jvm_mib"] / first["spark"]["jvm_mib"]
    return (
        f"{grown:g} times the rows: {jvm:.2f} times the JVM's peak, {heap:.2f} times the heap that "
        f"was left after a collection. A line through the times: {line.intercept:.1f} s + "
        f"{1000 * line.slope:.3f} ms a row."
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
