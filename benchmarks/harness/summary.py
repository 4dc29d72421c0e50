"""What a run says at its end."""

from __future__ import annotations

from typing import Any

from harness.figures import figure, spread


def summarise(record: dict[str, Any]) -> str:
    """A line for each contender: CPU-ms an image, median with the least and the most."""
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
            text = f"  {row['name']:<24} {measured!s:>22} CPU-ms an image {ratio} {labels}"
            lines.append(text.rstrip())
    return "\n".join(lines)


def raw_limit(regime: dict[str, Any]) -> float | None:
    """CPU-ms of raw decoding + raw inference; None if either was not measured."""
    parts = [cpu_ms(regime, name) for name in ("raw-inference", "raw-decode")]
    return None if None in parts else sum(part for part in parts if part is not None)


def cpu_ms(regime: dict[str, Any], name: str, key: str = "cpu_ms") -> float | None:
    """The median of a contender's warm samples; None if there are none."""
    for row in regime.get("contenders", ()):
        if row["name"] == name and not row["skipped"]:
            measured = spread([pair[key] for pair in row["warm"]])
            return None if measured is None else measured.median
    return None


def summarise_growth(record: dict[str, Any]) -> str:
    """A line for each step, and the fits."""
    lines = []
    for series in record["series"]:
        lines.append(series["title"])
        lines += [f"  {step}" for step in map(_step, series["steps"])]
        if series.get("fit"):
            fitted = series["fit"]
            lines.append(f"  fit: {fitted['each']}, R² {fitted['r_squared']:.4f}")
    return "\n".join(lines)


def _step(step: dict[str, Any]) -> str:
    if step.get("skipped"):
        return f"{step['at']:>9,}: skipped: {step['skipped']}"
    parts = [f"{step['at']:>9,}: {figure(step['wall_s'])} s"]
    parts += [f"{figure(step[key])} {unit}" for key, unit in _UNITS.items() if key in step]
    return ", ".join(parts)


_UNITS = {"cpu_s": "CPU-s", "jvm_mib": "MiB driver", "worker_mib": "MiB worker"}
