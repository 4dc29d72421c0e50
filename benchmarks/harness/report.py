"""The pages of a record, docs/performance.md and docs/growth.md, written from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.benchmark import FORMAT
from harness.claims import judge
from harness.figures import figure
from harness.gaps import gap
from harness.regime_section import regime_section
from harness.scaling_page import scaling_page
from sightline.errors import WrongUseError

Record = dict[str, Any]


def write_report(results: Path, page: Path) -> None:
    """Write the page of a record.

    Raises:
        WrongUseError: NO_RESULTS if there is no record, or one of another format.
    """
    record = _read(results)
    if "regimes" not in record:
        message = f"{results} has no regimes. Run `sightline bench`."
        raise WrongUseError("NO_RESULTS", message)
    _write(page, page_of(record))


def write_scaling_report(results: Path, page: Path) -> None:
    """Write the page of what `bench scaling` and `bench pca` left in a record.

    Raises:
        WrongUseError: NO_RESULTS if there is no record, one of another format, or none of theirs.
    """
    _write(page, scaling_page(_read(results)))


def _read(results: Path) -> Record:
    try:
        record: Record = json.loads(results.read_text("utf-8"))
    except (OSError, ValueError) as error:
        message = f"{results} is no record of `sightline bench` ({error}). Run it first."
        raise WrongUseError("NO_RESULTS", message) from error
    if record.get("format") != FORMAT:
        message = f"{results} is of another version. Run `sightline bench`."
        raise WrongUseError("NO_RESULTS", message)
    return record


def _write(page: Path, text: str) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, "utf-8")


def page_of(record: Record) -> str:
    """The page, as Markdown."""
    measured = [regime for regime in record["regimes"] if not regime["skipped"]]
    parts = [_opening(record), _promises(record)]
    parts += [regime_section(regime) for regime in measured]
    parts += [
        f"## {regime['name']}\n\nNot measured: {regime['skipped']}."
        for regime in record["regimes"]
        if regime["skipped"]
    ]
    parts += [_gaps(measured), _memory(record), _growth(record.get("growth")), _untried(record)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(record: Record) -> str:
    machine, versions = record["machine"], record["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        Path(__file__)
        .with_name("opening.md")
        .read_text("utf-8")
        .format(
            started=record["started"],
            rounds=record["rounds"],
            minutes=record["seconds"] / 60,
            machine=machine,
            commit=record["commit"],
            versions=listed,
        )
        .rstrip()
    )


def _promises(record: Record) -> str:
    lines = [
        "## What was promised, and what came of it",
        "",
        "| regime | promise | measured | |",
        "|---|---|---|---|",
    ]
    for judged in judge(record):
        verdict = {True: "holds", False: "**does not hold**", None: "not measured"}[judged.holds]
        ratio = "–" if judged.ratio is None else f"{judged.ratio:.2f} × ({judged.basis})"  # noqa: RUF001
        lines.append(f"| {judged.regime} | {judged.text} | {ratio} | {verdict} |")
    return "\n".join(lines)


def _gaps(regimes: list[Record]) -> str:
    tables = []
    for regime in regimes:
        found = {row["title"]: parts for row in regime["contenders"] if (parts := gap(row))}
        if not found:
            continue
        columns = list(dict.fromkeys(name for parts in found.values() for name in parts))
        lines = [
            f"| {regime['name']} | " + " | ".join(columns) + " |",
            "|---|" + "---|" * len(columns),
        ]
        for title, parts in found.items():
            cells = [figure(parts[name]) if name in parts else "" for name in columns]
            lines.append(f"| {title} | {' | '.join(cells)} |")
        tables.append("\n".join(lines))
    if not tables:
        return ""
    return "\n\n".join([_GAPS, *tables])


def _memory(record: Record) -> str:
    if not record["memory"]:
        return ""
    lines = [
        "| model | images in a batch | worker MiB | driver and executor JVM MiB |",
        "|---|---|---|---|",
    ]
    for entry in record["memory"]:
        cells = (
            f"{entry['worker_mib']} | {entry['jvm_mib']}"
            if "worker_mib" in entry
            else f"not measured: {entry['skipped']} | "
        )
        lines.append(f"| {entry['model']} | {entry['batch_rows']} | {cells} |")
    return _MEMORY + "\n\n" + "\n".join(lines)


def _growth(growth: Record | None) -> str:
    if growth is None:
        return "## Growth\n\nNot measured in this record: run `sightline bench growth`."
    parts = ["## Growth"]
    for series in growth["series"]:
        lines = [f"**{series['title']}**"]
        if series["steps"]:
            lines += [
                "",
                "| | wall s | CPU-s | driver JVM MiB | worker MiB |",
                "|---|---|---|---|---|",
            ]
        for step in series["steps"]:
            at = f"{step['at']:,}" + (f", {step['shape']}" if "shape" in step else "")
            if step.get("skipped"):
                lines.append(f"| {at} | skipped: {step['skipped']} | | | |")
                continue
            cells = (step["wall_s"], step["cpu_s"], step["jvm_mib"], step.get("worker_mib", ""))
            lines.append(f"| {at} | {' | '.join(map(str, cells))} |")
        if series["fit"]:
            fitted = series["fit"]
            lines += ["", f"Fit of the wall time: {fitted['each']}, R² {fitted['r_squared']:.4f}."]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _untried(record: Record) -> str:
    return _UNTRIED.format(gpu=record["machine"]["gpu"])


_GAPS = """## What an image's time is made of

CPU-ms of one more image, warm. `jvm` lists, plans, reads (unless the worker does: then `read` says
how much), sends to the workers and writes; `read`, `decode`, `infer` and `result` are the engine's
own counters (`run.json`, `worker`); `worker, other` is the rest of the Python process: Arrow from
and to the JVM, and Python itself. The waits are milliseconds of the clock, not CPU time: the engine
`waited for input` when it had nothing to do, and `for a worker thread` when all its threads were
busy.

A part of what `binaryFile` costs the peers is Spark's price for a task in a reused Python worker,
130 to 150 CPU-ms, which its many small tasks pay again and again and Sightline's workers are
spared (`worker/between_tasks.py`)."""

_MEMORY = """## Memory to plan for

The peak resident memory of one Python worker of `predict`, and of the JVM with
`--driver-memory 2g`. A worker serves one slot: an executor with 4 slots needs four times the
worker's figure beside its heap (`spark.executor.memoryOverhead`). Pages that workers share are
counted in each of them, so the sum is an upper bound."""

_UNTRIED = """## What this page does not say

- **GPUs** (this machine: {gpu}): the engine against a raw loop on one, decoding on the CPU against
  nvJPEG, and where a GPU waits are no part of this run.
- **Clusters**: everything runs on one machine, in Spark's local mode; shuffles, remote storage and
  networks are not in it.
- **Object stores**: files lie on a local disk and in the page cache.
- Two models, JPEGs of two sizes. A larger model moves every ratio towards 1, a smaller one away
  from it."""
