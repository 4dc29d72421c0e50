"""The section of the page on one regime."""

from __future__ import annotations

from typing import Any

from harness.figures import figure, spread
from harness.summary import cpu_ms, raw_limit

Record = dict[str, Any]
_CHARTED = 14


def regime_section(regime: Record) -> str:
    """Tables of warm and cold figures, the peers by Sightline's, and a chart."""
    limit = raw_limit(regime)
    lines = [
        f"## {regime['title']}",
        "",
        f"{regime['source']}; bundle `{regime['model']}`, a full job holds {regime['images']:,} "
        f"images.{_again(regime)}",
        "",
        "| | CPU-ms an image | × raw | wall ms | images | labels |",  # noqa: RUF001
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
        text += (
            f"\n\nWhat may run below fp32, as measured before:\n\n```\n{regime['calibration']}\n```"
        )
    if skipped:
        text += "\n\nNot measured:\n\n" + "\n".join(skipped)
    return "\n\n".join(
        part for part in (text, _against_peers(regime), _chart(regime), _cold(regime)) if part
    )


def _again(regime: Record) -> str:
    return "".join(
        f" {run['rounds']} more rounds, begun {run['started']}, of those that are closest: "
        f"{', '.join(f'`{name}`' for name in run['names'])}."
        for run in regime.get("again", ())
    )


def _labels(row: Record) -> str:
    agreement = row["agreement"]
    if agreement is None:
        return ""
    if agreement["verdict"] == "exact":
        return f"same, scores to {agreement['max_delta']:.0e}"
    share = f"{agreement['same']:.1%} the same"
    return f"**wrong**: {share}" if agreement["verdict"] == "wrong" else share


def _against_peers(regime: Record) -> str:
    ours = [name for name in ("spark-parquet", "spark-folder") if cpu_ms(regime, name)]
    peers = [
        (value, row)
        for row in regime["contenders"]
        if row["family"] in ("peer", "loop") and (value := cpu_ms(regime, row["name"]))
    ]
    if not ours or not peers:
        return ""
    head = " | ".join(f"× `{name}`" for name in ours)  # noqa: RUF001
    lines = [
        "How many times Sightline's CPU time the others take (wall time in brackets):",
        "",
        f"| | {head} |",
        "|---|" + "---|" * len(ours),
    ]
    for value, row in sorted(peers, key=lambda peer: peer[0]):
        wall = cpu_ms(regime, row["name"], "wall_ms") or 0.0
        cells = [
            f"{value / (cpu_ms(regime, name) or 1):.2f} "
            f"({wall / (cpu_ms(regime, name, 'wall_ms') or 1):.2f})"
            for name in ours
        ]
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def charted(regime: Record) -> list[tuple[str, float]]:
    """Names and CPU-ms for a chart, the cheapest first; the raw limit among them."""
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
  title "{regime["name"]}: CPU-ms an image, warm (the {len(rows)} cheapest)"
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
        "| cold: start to the end of the first job | images | wall s | CPU-s "
        "| peak MiB, all processes | peak MiB, largest Python process |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|", *lines])
