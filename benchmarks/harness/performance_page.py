"""Writes docs/performance.md from a record."""

from __future__ import annotations

from pathlib import Path

from harness.errors import WrongUseError
from harness.record import Record, read_record, stages
from harness.regime_section import regime_section
from harness.statistics import figure
from harness.targets import check_targets


def write_performance_page(results: Path, page: Path) -> None:
    """Write the page of a record.

    Raises:
        WrongUseError: NO_RESULTS if there is no record, one of another format, or one without
            regimes.
    """
    record = read_record(results)
    if "regimes" not in record:
        raise WrongUseError("NO_RESULTS", f"{results} has no regimes. Run `make bench`.")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(record), "utf-8")


def _page(record: Record) -> str:
    measured = [regime for regime in record["regimes"] if not regime["skipped"]]
    parts = [_opening(record), _targets(record)]
    parts += [regime_section(regime) for regime in measured]
    parts += [
        f"## {regime['name']}\n\nNot measured: {regime['skipped']}."
        for regime in record["regimes"]
        if regime["skipped"]
    ]
    parts += [_stages(measured), _memory(record), _LIMITS.format(gpu=record["machine"]["gpu"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(record: Record) -> str:
    template = Path(__file__).with_name("performance_opening.md").read_text("utf-8").rstrip()
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return template.format(
        started=record["started"],
        rounds=record["rounds"],
        minutes=record["seconds"] / 60,
        machine=record["machine"],
        commit=record["commit"],
        versions=versions,
    )


def _targets(record: Record) -> str:
    lines = ["## Targets", "", "| regime | target | measured | |", "|---|---|---|---|"]
    for result in check_targets(record):
        verdict = {True: "met", False: "**missed**", None: "not measured"}[result.holds]
        ratio = "–" if result.ratio is None else f"{result.ratio:.2f} × ({result.basis})"  # noqa: RUF001
        lines.append(f"| {result.regime} | {result.text} | {ratio} | {verdict} |")
    return "\n".join(lines)


def _stages(regimes: list[Record]) -> str:
    tables = []
    for regime in regimes:
        found = {row["title"]: parts for row in regime["contenders"] if (parts := stages(row))}
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
    return "\n\n".join([_STAGES, *tables])


def _memory(record: Record) -> str:
    if not record["memory"]:
        return ""
    lines = [
        "| model | batch rows | worker MiB | driver and executor JVM MiB |",
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


_STAGES = """## Time by stage

CPU-ms of one more image, warm. `jvm` lists, plans, reads (unless the worker reads: then `read` is
its time), sends to the workers and writes. `read`, `decode`, `infer` and `result` are the engine's
own counters (`worker` in `run.json`). `worker, other` is the rest of the Python process: Arrow from
and to the JVM, and Python itself. The waits are elapsed milliseconds, not CPU time: the engine
`waited for input` when it had nothing to do, and `for a worker thread` when all threads were busy.

A part of the cost of `binaryFile` for the peers is Spark's price of a task in a reused Python
worker, 130 to 150 CPU-ms, which their many small tasks pay each time. Sightline's workers avoid it
(`worker/task.py`)."""

_MEMORY = """## Memory

The peak resident memory of one Python worker of `predict`, and of the JVM with
`--driver-memory 2g`. A worker serves one slot: an executor with 4 slots needs four times the
worker's figure beside its heap (`spark.executor.memoryOverhead`). Pages that workers share are
counted in each of them, so the sum is an upper bound."""

_LIMITS = """## Not measured

- **GPUs** (this machine: {gpu}): the engine against a raw loop on a GPU, decoding on the CPU
  against nvJPEG, and where a GPU waits.
- **Clusters**: everything runs on one machine, in Spark's local mode, without shuffles, remote
  storage and networks.
- **Object stores**: files are on a local disk and in the page cache.
- **Other models**: there are two models, and JPEGs of two sizes. With a larger model every ratio is
  nearer to 1, with a smaller model further from it."""
