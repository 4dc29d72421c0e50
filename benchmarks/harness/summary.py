"""The text that a command prints after its measurement."""

from __future__ import annotations

from harness.record import Record, raw_limit
from harness.statistics import figure, spread

_UNITS = {"cpu_s": "CPU-s", "jvm_mib": "MiB driver", "worker_mib": "MiB worker"}


def summarise(record: Record) -> str:
    """Return a line for each contender: CPU-ms per image, median, minimum and maximum."""
    lines = []
    for regime in record["regimes"]:
        if regime["skipped"]:
            lines.append(f"{regime['name']}: skipped: {regime['skipped']}")
            continue
        lines.append(f"{regime['title']}: {regime['source']}")
        limit = raw_limit(regime)
        for row in regime["contenders"]:
            measured = spread([pair["cpu_ms"] for pair in row["warm"]])
            if row["skipped"] or measured is None:
                lines.append(f"  {row['name']:<24} skipped: {row['skipped']}")
                continue
            ratio = f"{measured.median / limit:5.2f} x raw" if limit else ""
            labels = (row["agreement"] or {}).get("verdict", "")
            text = f"  {row['name']:<24} {measured!s:>22} CPU-ms per image {ratio} {labels}"
            lines.append(text.rstrip())
    return "\n".join(lines)


def summarise_growth(growth: Record) -> str:
    """Return a line for each step, and the fits."""
    lines = []
    for series in growth["series"]:
        lines.append(series["title"])
        lines += [f"  {_step(step)}" for step in series["steps"]]
        if series.get("fit"):
            fitted = series["fit"]
            lines.append(f"  fit: {fitted['each']}, R² {fitted['r_squared']:.4f}")
    return "\n".join(lines)


def _step(step: Record) -> str:
    if step.get("skipped"):
        return f"{step['at']:>9,}: skipped: {step['skipped']}"
    parts = [f"{step['at']:>9,}: {figure(step['wall_s'])} s"]
    parts += [f"{figure(step[key])} {unit}" for key, unit in _UNITS.items() if key in step]
    return ", ".join(parts)
