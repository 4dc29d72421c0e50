"""The text that a command prints after its measurement."""

from __future__ import annotations

from harness.costs import RegimeCosts
from harness.record import Record
from harness.statistics import figure
from harness.targets import check_targets

_UNITS = {"cpu_s": "CPU-s", "jvm_mib": "MiB driver", "worker_mib": "MiB worker"}


def summarise(record: Record, parts: tuple[str, ...]) -> str:
    """Return a line for each contender of the parts, and the targets of their regimes."""
    lines = []
    for regime in record.get("regimes", ()):
        if regime["name"] not in parts:
            continue
        if regime["skipped"]:
            lines.append(f"{regime['name']}: skipped: {regime['skipped']}")
            continue
        lines.append(f"{regime['title']}: {regime['seconds'] / 60:.0f} minutes")
        costs = RegimeCosts(regime)
        limit = costs.raw()
        for row in regime["contenders"]:
            measured, job = costs.image(row["name"]), costs.whole_job(row["name"])
            if row["skipped"] or measured is None or job is None:
                lines.append(f"  {row['name']:<24} skipped: {row['skipped']}")
                continue
            relative = f"{measured.value / limit.value:5.2f} x raw" if limit else ""
            labels = (row["agreement"] or {}).get("verdict", "")
            text = f"  {row['name']:<24} {measured!s:>22} CPU-ms per image {relative}"
            lines.append(f"{text}  job of 500: {figure(job.value):>5} CPU-s {labels}".rstrip())
    for result in check_targets(record):
        if result.regime in parts:
            reason = f" ({result.reason})" if result.reason else ""
            lines.append(
                f"{result.regime}: {result.text}: {result.measured}: {result.verdict}{reason}"
            )
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
