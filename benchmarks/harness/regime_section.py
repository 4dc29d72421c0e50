"""The section of docs/performance.md on one regime: tables and charts."""

from __future__ import annotations

from pathlib import Path

from harness.record import Record, cpu_ms, raw_limit, read_record
from harness.statistics import figure, spread

_CHARTED = 14
_COLOURS = {"raw": "#555555", "spark": "#1f77b4", "engine": "#1f77b4"}


def regime_section(regime: Record) -> str:
    """Return Markdown: warm costs, ratios of peers to Sightline, a chart, and cold starts."""
    limit = raw_limit(regime)
    lines = [
        f"## {regime['title']}",
        "",
        f"{regime['source']}; bundle `{regime['model']}`, a full job holds {regime['images']:,} "
        f"images.{_again(regime)}",
        "",
        "| | CPU-ms per image | × raw | wall ms | images | labels |",  # noqa: RUF001
        "|---|---|---|---|---|---|",
    ]
    skipped = []
    for row in regime["contenders"]:
        cpu = spread([pair["cpu_ms"] for pair in row["warm"]])
        wall = spread([pair["wall_ms"] for pair in row["warm"]])
        if row["skipped"] or cpu is None or wall is None:
            skipped.append(f"- {row['title']} (`{row['name']}`): {row['skipped']}")
            continue
        ratio = f"{cpu.median / limit:.2f}" if limit else "–"  # noqa: RUF001
        label = _labels(row)
        lines.append(
            f"| {row['title']} | {cpu} | {ratio} | {figure(wall.median)} | {row['images']:,} "
            f"| {label} |"
        )
    if limit:
        lines.append(f"| **Raw: decoding + inference** | **{figure(limit)}** | 1.00 | | | |")
    text = "\n".join(lines)
    if regime.get("calibration"):
        text += "\n\nCalibration of reduced precision, before the measurement:\n\n"
        text += f"```\n{regime['calibration']}\n```"
    if skipped:
        text += "\n\nNot measured:\n\n" + "\n".join(skipped)
    return "\n\n".join(
        part for part in (text, _against_peers(regime), _chart(regime), _cold(regime)) if part
    )


def _again(regime: Record) -> str:
    return "".join(
        f" {run['rounds']} more rounds, started {run['started']}, of contenders with similar "
        f"costs: {', '.join(f'`{name}`' for name in run['names'])}."
        for run in regime.get("again", ())
    )


def _labels(row: Record) -> str:
    agreement = row["agreement"]
    if agreement is None:
        return ""
    if agreement["verdict"] == "exact":
        return f"equal, scores within {agreement['max_delta']:.0e}"
    share = f"{agreement['same']:.1%} equal"
    return f"**wrong**: {share}" if agreement["verdict"] == "wrong" else share


def _against_peers(regime: Record) -> str:
    own = [name for name in ("spark-parquet", "spark-folder") if cpu_ms(regime, name)]
    peers = [
        (value, row)
        for row in regime["contenders"]
        if row["family"] in ("peer", "loop") and (value := cpu_ms(regime, row["name"]))
    ]
    if not own or not peers:
        return ""
    head = " | ".join(f"× `{name}`" for name in own)  # noqa: RUF001
    lines = [
        "CPU time of the others, as a multiple of Sightline's (wall time in brackets):",
        "",
        f"| | {head} |",
        "|---|" + "---|" * len(own),
    ]
    for value, row in sorted(peers, key=lambda peer: peer[0]):
        wall = cpu_ms(regime, row["name"], "wall_ms") or 0.0
        cells = [
            f"{value / (cpu_ms(regime, name) or 1):.2f} "
            f"({wall / (cpu_ms(regime, name, 'wall_ms') or 1):.2f})"
            for name in own
        ]
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def charted(regime: Record) -> list[tuple[str, float]]:
    """Return names and CPU-ms of the contenders and the raw limit, the cheapest first."""
    limit = raw_limit(regime)
    rows = [
        (row["name"], value)
        for row in regime["contenders"]
        if row["family"] != "raw" and (value := cpu_ms(regime, row["name"]))
    ]
    return sorted([*([("raw", limit)] if limit else []), *rows], key=lambda row: row[1])


def _chart(regime: Record) -> str:
    rows = charted(regime)[:_CHARTED]
    if not rows:
        return ""
    names = ", ".join(f'"{name}"' for name, _ in rows)
    values = ", ".join(f"{value:.2f}" for _, value in rows)
    most = max(value for _, value in rows)
    return f"""```mermaid
xychart-beta horizontal
  title "{regime["name"]}: CPU-ms per image, warm (the {len(rows)} cheapest)"
  x-axis [{names}]
  y-axis "CPU-ms" 0 --> {most * 1.05:.1f}
  bar [{values}]
```"""


def _cold(regime: Record) -> str:
    lines = []
    for row in regime["contenders"]:
        if row["skipped"] or not row["cold"]:
            continue
        wall = spread([sample["wall_s"] for sample in row["cold"]])
        cpu = spread([sample["cpu_s"] for sample in row["cold"]])
        peak = spread([sample["peak_mib"] for sample in row["cold"]])
        worker = spread([sample["worker_mib"] for sample in row["cold"]])
        assert peak is not None  # noqa: S101 - there are samples
        assert worker is not None  # noqa: S101
        lines.append(
            f"| {row['title']} | {row['images']:,} | {wall} | {cpu} | {peak.median:.0f} "
            f"| {worker.median:.0f} |"
        )
    if not lines:
        return ""
    head = (
        "| cold: from start-up to the end of the first job | images | wall s | CPU-s "
        "| peak MiB, all processes | peak MiB, largest Python process |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|", *lines])


def draw_chart(results: Path, picture: Path) -> None:
    """Draw bars of CPU-ms per image, one panel per regime.

    Args:
        results: The record.
        picture: File to write; its ending gives the format.

    Raises:
        WrongUseError: NO_RESULTS.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    record = read_record(results)
    regimes = [regime for regime in record["regimes"] if not regime["skipped"]]
    columns = max(len(regimes), 1)
    drawing, panels = plt.subplots(1, columns, figsize=(7 * columns, 7), squeeze=False)
    for panel, regime in zip(panels[0], regimes, strict=False):
        rows = charted(regime)[::-1]
        colours = [_COLOURS.get(name.partition("-")[0], "#c0c0c0") for name, _ in rows]
        bars = panel.barh([name for name, _ in rows], [value for _, value in rows], color=colours)
        panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        panel.set_title(f"{regime['name']}: CPU-ms per image, warm", fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
    drawing.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(picture, dpi=120)
    plt.close(drawing)
