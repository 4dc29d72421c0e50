"""The section of docs/performance.md on one regime: one table, and the rest behind a fold."""

from __future__ import annotations

from harness.costs import WHOLE_JOB, Record, RegimeCosts
from harness.estimate import Estimate, ratio
from harness.published import PUBLISHED
from harness.statistics import figure

_CHARTED = 14
_OWN = ("spark-parquet", "spark-folder")


def regime_section(regime: Record) -> str:
    """Return Markdown: a table of what matters, then all contenders, ratios and a chart folded."""
    costs = RegimeCosts(regime)
    shown = [row for row in regime["contenders"] if costs.image(row["name"]) is not None]
    main = [row for row in shown if row["name"] in _main_rows(costs)]
    parts = [
        f"## {regime['title']}",
        _conditions(regime),
        _table(costs, main),
        _published(costs) if regime["name"] == "resnet50" else "",
        fold(
            f"All {len(shown)} contenders, ratios and a chart",
            "\n\n".join(
                part
                for part in (
                    _table(costs, shown),
                    _skipped(regime, shown),
                    _against_peers(costs),
                    _chart(costs),
                    _calibration(regime),
                )
                if part
            ),
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def fold(title: str, content: str) -> str:
    """Return Markdown that a reader opens by a click."""
    return f"<details>\n<summary>{title}</summary>\n\n{content}\n\n</details>"


def _conditions(regime: Record) -> str:
    jobs = ", ".join(
        f"{sum(job):,}" if len(job) == 1 else " + ".join(f"{n:,}" for n in job)
        for job in regime["jobs"]
    )
    titles = [images["title"] for images in regime["sets"] if images["title"]]
    kinds = f" ({' + '.join(titles)})" if titles else ""
    again = regime.get("again") or []
    text = (
        f"{regime['source']}. Bundle `{regime['model']}`; jobs of {jobs} images{kinds}, fewer for "
        f"slow contenders; rounds: {regime['rounds']}, in {regime['seconds'] / 60:.0f} minutes, "
        f"started {regime['started']}, commit {regime['commit']}. Raw inference and the tuned "
        f"peers give the model batches of {regime['batch_rows']}, which costs least."
    )
    if again:
        names = ", ".join(f"`{name}`" for name in again)
        text += f" More rounds: {regime['more_rounds']}, of {names}, whose targets were undecided."
    return text


def _main_rows(costs: RegimeCosts) -> set[str]:
    """Return Sightline, the tuned peers, and the cheapest peer as documented."""
    peers = [row for row in costs.rows.values() if row["family"] == "peer"]
    names = {*_OWN, *(row["name"] for row in peers if row["documented"] == "tuned")}
    documented = [
        (value.value, row["name"])
        for row in peers
        if row["documented"] == "documented" and (value := costs.image(row["name"])) is not None
    ]
    return names | {name for _, name in sorted(documented)[:1]}


def _table(costs: RegimeCosts, rows: list[Record]) -> str:
    sets = [images["title"] for images in costs.regime["sets"] if images["title"]]
    beside = costs.regime["name"] == "resnet50"
    columns = ["", "CPU-ms per image", *sets]
    columns += [f"{heading}" for heading in ("everything but the model",) if beside]
    columns += ["× raw", "wall ms", f"job of {WHOLE_JOB}, CPU-s", "labels"]  # noqa: RUF001
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    limit = costs.raw()
    for row in rows:
        name = row["name"]
        cpu = costs.image(name)
        cells = [row["title"], str(cpu), *(str(costs.image(name, of=one)) for one in sets)]
        if beside:
            cells.append("" if row["family"] == "raw" else str(costs.beside_model(name)))
        cells += [
            f"{cpu.value / limit.value:.2f}" if limit and cpu else "–",  # noqa: RUF001
            _value(costs.image(name, "wall_s")),
            "" if row["family"] == "raw" else str(costs.whole_job(name)),
            _labels(row),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if limit is not None:
        cells = ["**Raw: decoding + inference**", f"**{limit}**"]
        cells += [str(costs.raw(of=one)) for one in sets]
        cells += [""] * beside
        lines.append(f"| {' | '.join([*cells, '1.00', '', '', ''])} |")
    return "\n".join(lines)


def _value(estimate: Estimate | None) -> str:
    return "–" if estimate is None else figure(estimate.value)  # noqa: RUF001


def _labels(row: Record) -> str:
    agreement = row["agreement"]
    if agreement is None:
        return ""
    if agreement["verdict"] == "exact":
        return f"equal, scores within {agreement['max_delta']:.0e}"
    share = f"{agreement['same']:.1%} equal"
    return f"**wrong**: {share}" if agreement["verdict"] == "wrong" else share


def _skipped(regime: Record, shown: list[Record]) -> str:
    names = [row["name"] for row in shown]
    lines = [
        f"- {row['title']} (`{row['name']}`): {row['skipped'] or 'too few jobs'}"
        for row in regime["contenders"]
        if row["name"] not in names
    ]
    return "Not measured:\n\n" + "\n".join(lines) if lines else ""


def _against_peers(costs: RegimeCosts) -> str:
    own = [name for name in _OWN if costs.image(name)]
    peers = [
        (value.value, row)
        for row in costs.rows.values()
        if row["family"] in ("peer", "loop") and (value := costs.image(row["name"])) is not None
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
    for _, row in sorted(peers, key=lambda peer: peer[0]):
        cells = [
            f"{_quotient(costs, row['name'], name, 'cpu_s')} "
            f"({_quotient(costs, row['name'], name, 'wall_s')})"
            for name in own
        ]
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _quotient(costs: RegimeCosts, above: str, below: str, key: str) -> str:
    found = [costs.image(name, "wall_s" if key == "wall_s" else "cpu_s") for name in (above, below)]
    if found[0] is None or found[1] is None or found[1].value == 0:
        return "–"  # noqa: RUF001
    return f"{ratio(found[0], found[1]).value:.2f}"


def charted(costs: RegimeCosts) -> list[tuple[str, float]]:
    """Return names and CPU-ms of the contenders and the raw limit, the cheapest first."""
    limit = costs.raw()
    rows = [
        (name, value.value)
        for name, row in costs.rows.items()
        if row["family"] != "raw" and (value := costs.image(name)) is not None
    ]
    return sorted([*([("raw", limit.value)] if limit else []), *rows], key=lambda row: row[1])


def _chart(costs: RegimeCosts) -> str:
    rows = charted(costs)[:_CHARTED]
    if not rows:
        return ""
    names = ", ".join(f'"{name}"' for name, _ in rows)
    values = ", ".join(f"{value:.2f}" for _, value in rows)
    most = max(value for _, value in rows)
    return f"""```mermaid
xychart-beta horizontal
  title "{costs.regime["name"]}: CPU-ms per image, warm (the {len(rows)} cheapest)"
  x-axis [{names}]
  y-axis "CPU-ms" 0 --> {most * 1.05:.1f}
  bar [{values}]
```"""


def _calibration(regime: Record) -> str:
    if not regime.get("calibration"):
        return ""
    return (
        "Calibration of reduced precision, before the measurement:\n\n"
        f"```\n{regime['calibration']}\n```"
    )


def _published(costs: RegimeCosts) -> str:
    own = [(row["title"], costs.beside_model(row["name"])) for row in costs.rows.values()
           if row["name"] in _OWN]  # fmt: skip
    lines = [
        "Others have published the speed of nodes with GPUs, where the vCPUs do everything but the "
        "model. `Everything but the model` above is the cost of an image minus that of raw "
        "inference, so the two can be compared, with care: the images and the machines differ, and "
        "theirs are vCPUs that were paid for, busy or not.",
        "",
        "| | vCPU-ms per image, everything but the model | images/s | source |",
        "|---|---|---|---|",
    ]
    lines += [f"| {title} | {measured} | | measured here |" for title, measured in own if measured]
    for one in PUBLISHED:
        low, high = one.vcpu_ms
        span = figure(low) if low == high else f"{figure(low)}–{figure(high)}"  # noqa: RUF001
        lines.append(f"| {one.system} | {span} | {one.rates} | {one.source} |")
    return "\n".join(lines)
