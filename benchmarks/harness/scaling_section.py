"""The section of docs/growth.md on `features` and `pca` by size of the collection."""

from __future__ import annotations

from collections.abc import Sequence

from harness.machine import measured_on
from harness.record import Record
from harness.statistics import Growth, figure, fit_growth, spread

_HOUR_SECONDS = 3600.0


def scaling_section(scaling: Record) -> str:
    """Return Markdown: every size, the fits, the cost and the raw limit."""
    done = [step for step in scaling["steps"] if not step.get("skipped")]
    skipped = [
        f"- {step['name']} ({step['images']:,} images): {step['skipped']}"
        for step in scaling["steps"]
        if step.get("skipped")
    ]
    images = [step["images"] for step in done]
    fits = {name: fit_growth(images, seconds) for name, seconds in _series(done).items()}
    parts = [
        "## Time and cost by size: `features`, then `pca`",
        measured_on(scaling)
        + f" The collection is `{scaling['collection']}`, the model `{scaling['model']}`, "
        f"{scaling['k']} components.",
        _sizes(scaling, done, fits[_BOTH]),
        "Not measured:\n\n" + "\n".join(skipped) if skipped else "",
        _fits(fits),
        _cost(scaling, fits[_BOTH]),
        _limit(scaling, fits),
    ]
    return "\n\n".join(part for part in parts if part)


def _both(step: Record, key: str) -> float:
    both: float = step["features"][key] + step["pca"][key]
    return both


_BOTH, _FEATURES, _FEATURES_CPU = "both", "`features`", "`features`, CPU time"


def _series(steps: Sequence[Record]) -> dict[str, list[float]]:
    """Return the seconds of each step, by command and kind of time."""
    return {
        _BOTH: [_both(step, "wall_s") for step in steps],
        "both, CPU time": [_both(step, "cpu_s") for step in steps],
        _FEATURES: [step["features"]["wall_s"] for step in steps],
        _FEATURES_CPU: [step["features"]["cpu_s"] for step in steps],
        "`pca`": [step["pca"]["wall_s"] for step in steps],
    }


def _sizes(scaling: Record, done: Sequence[Record], line: Growth | None) -> str:
    lines = [
        "| sample | images | `features` s | `pca` s | both s | residual s | images/s | CPU-s "
        "| cost of 1,000 | JVM MiB: `features`, `pca` | worker MiB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    residuals = line.residuals_s if line else [0.0] * len(done)
    for name, images in dict.fromkeys((step["name"], step["images"]) for step in done):
        runs = [at for at, step in enumerate(done) if step["name"] == name]
        some = [done[at] for at in runs]
        wall = spread([_both(step, "wall_s") for step in some])
        assert wall is not None  # noqa: S101 - there are runs
        off = ", ".join(f"{residuals[at]:+.1f}" for at in runs)
        cost = 1000 * _price(wall.median, scaling["price_per_hour"]) / images
        jvm = ", ".join(
            f"{max(step[command]['jvm_mib'] for step in some):,}" for command in ("features", "pca")
        )
        cells = (
            name,
            f"{images:,}",
            str(spread([step["features"]["wall_s"] for step in some])),
            str(spread([step["pca"]["wall_s"] for step in some])),
            str(wall),
            off if line else "",
            figure(images / wall.median),
            str(spread([_both(step, "cpu_s") for step in some])),
            f"{cost:.3g}",
            jvm,
            f"{max(step['features']['worker_mib'] for step in some):,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _fits(fits: dict[str, Growth | None]) -> str:
    lines = [
        "| seconds = start-up + images × one image | start-up s | ms per image | R² "  # noqa: RUF001
        "| largest residual s | exponent |",
        "|---|---|---|---|---|---|",
    ]
    for name, line in fits.items():
        if line is None:
            return "Too few sizes for a fit."
        worst = max(line.residuals_s, key=abs)
        found = line.exponent
        exponent = "too few sizes"
        if found is not None:
            exponent = f"{found.best:.2f} ({found.least:.2f}–{found.most:.2f})"  # noqa: RUF001
        lines.append(
            f"| {name} | {figure(line.startup_s)} | {figure(line.per_image_ms)} "
            f"| {line.r_squared:.4f} | {worst:+.1f} | {exponent} |"
        )
    return "\n".join(lines)


def _cost(scaling: Record, line: Growth | None) -> str:
    if line is None:
        return ""
    hourly = scaling["price_per_hour"]
    each, start = _price(line.per_image_ms / 1000, hourly), _price(line.startup_s, hourly)
    return (
        f"Cost, at an **assumed {hourly:g} an hour** for this machine (`--price-per-hour`): "
        f"{1000 * each:.3g} for 1,000 more images, {1e6 * each:.3g} for a million, and "
        f"{start:.3g} for each start of the two commands, without storage and traffic."
    )


def _price(seconds: float, price_per_hour: float) -> float:
    return seconds * price_per_hour / _HOUR_SECONDS


def _limit(scaling: Record, fits: dict[str, Growth | None]) -> str:
    wall, cpu = fits[_FEATURES], fits[_FEATURES_CPU]
    if wall is None or cpu is None:
        return ""
    lines = [
        "| one more image | wall ms | CPU-ms | time of Spark's `features` / its time "
        "| CPU time / its CPU time |",
        "|---|---|---|---|---|",
        f"| `features`, Spark: the slope above | {figure(wall.per_image_ms)} "
        f"| {figure(cpu.per_image_ms)} | 1.00 | 1.00 |",
    ]
    parts = []
    for raw in scaling["raw"]:
        if raw.get("skipped"):
            lines.append(f"| {raw['name']} | not measured: {raw['skipped']} | | | |")
            continue
        one_thread = raw["name"].startswith("raw")
        parts += [raw["cpu_ms"]] if one_thread else []
        ratio = "" if one_thread else f"{wall.per_image_ms / raw['wall_ms']:.2f}"
        of_cpu = "" if one_thread else f"{cpu.per_image_ms / raw['cpu_ms']:.2f}"
        name = f"{raw['name']}, " + ("one thread" if one_thread else f"{raw['images']:,} images")
        lines.append(
            f"| {name} | {figure(raw['wall_ms'])} | {figure(raw['cpu_ms'])} | {ratio} | {of_cpu} |"
        )
    if len(parts) == 2:
        lines.append(
            f"| **Raw: decoding + inference** | | **{figure(sum(parts))}** | "
            f"| {cpu.per_image_ms / sum(parts):.2f} |"
        )
    return "\n".join(lines)
