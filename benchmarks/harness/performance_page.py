"""Writes docs/performance.md from a record."""

from __future__ import annotations

from pathlib import Path

from harness.costs import RegimeCosts, stages
from harness.errors import WrongUseError
from harness.record import Record, read_record
from harness.regime_section import fold, regime_section
from harness.statistics import figure, spread
from harness.targets import check_targets

_VERDICTS = {"met": "met", "missed": "**missed**"}


def write_performance_page(results: Path, page: Path) -> None:
    """Write the page of a record.

    Raises:
        WrongUseError: NO_RESULTS if there is no record, one of another format, or one without
            regimes.
    """
    record = read_record(results)
    if not record.get("regimes"):
        raise WrongUseError("NO_RESULTS", f"{results} has no regimes. Run `make bench`.")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(record), "utf-8")


def _page(record: Record) -> str:
    measured = [regime for regime in record["regimes"] if not regime["skipped"]]
    parts = [_opening(record, measured), _targets(record)]
    parts += [regime_section(regime) for regime in measured]
    parts += [
        f"## {regime['name']}\n\nNot measured: {regime['skipped']}."
        for regime in record["regimes"]
        if regime["skipped"]
    ]
    gpu = measured[0]["machine"]["gpu"] if measured else "unknown"
    parts += [_cold(record), _memory(record), _stages(measured), _LIMITS.format(gpu=gpu)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(record: Record, measured: list[Record]) -> str:
    template = Path(__file__).with_name("performance_opening.md").read_text("utf-8").rstrip()
    others = [record[name] for name in ("cold", "memory") if record.get(name)]
    entries = [*measured, *others]
    lines = [
        f"| {title} | {value} |"
        for title, values in (
            ("measured", [entry["started"][:10] for entry in entries]),
            ("machine", [_machine(entry) for entry in entries]),
            ("commit", [entry["commit"] for entry in entries]),
            ("versions", [_versions(entry) for entry in entries]),
        )
        for value in ["; ".join(dict.fromkeys(values))]
    ]
    minutes = sum(entry["seconds"] for entry in entries) / 60
    lines.append(f"| duration | {minutes:.0f} minutes |")
    return template.replace("{setup}", "\n".join(["| | |", "|---|---|", *lines]))


def _machine(entry: Record) -> str:
    machine = entry["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, GPU: {machine['gpu']}"
    )


def _versions(entry: Record) -> str:
    return ", ".join(f"{name} {version}" for name, version in entry["versions"].items())


def _targets(record: Record) -> str:
    lines = [
        _TARGETS,
        "",
        "| regime | target | measured | |",
        "|---|---|---|---|",
    ]
    for result in check_targets(record):
        verdict = _VERDICTS.get(result.verdict, f"{result.verdict}: {result.reason}")
        lines.append(f"| {result.regime} | {result.text} | {result.measured} | {verdict} |")
    return "\n".join(lines)


def _stages(regimes: list[Record]) -> str:
    tables = []
    for regime in regimes:
        costs = RegimeCosts(regime)
        found = {
            row["title"]: parts
            for row in regime["contenders"]
            if not row["skipped"] and (parts := stages(costs, row["name"]))
        }
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
    return f"{_STAGES}\n\n{fold('The tables, by regime', (chr(10) * 2).join(tables))}"


def _cold(record: Record) -> str:
    lines = []
    for row in record.get("cold", {}).get("rows", ()):
        if row["skipped"] or not row["samples"]:
            lines.append(f"| {row['title']} | {row['images']:,} | not measured: {row['skipped']} |")
            continue
        values = {
            key: spread([sample[key] for sample in row["samples"]])
            for key in ("wall_s", "cpu_s", "peak_mib", "worker_mib")
        }
        whole = [f"{found.median:.0f}" for key in ("peak_mib", "worker_mib")
                 if (found := values[key])]  # fmt: skip
        cells = [row["title"], f"{row['images']:,}", str(values["wall_s"]), str(values["cpu_s"])]
        lines.append(f"| {' | '.join([*cells, *whole])} |")
    if not lines:
        return ""
    head = (
        "| | images | wall s | CPU-s | peak MiB, all processes | peak MiB, largest Python process |"
    )
    return "\n".join([_COLD, "", head, "|---|---|---|---|---|---|", *lines])


def _memory(record: Record) -> str:
    rows = record.get("memory", {}).get("rows", ())
    if not rows:
        return ""
    lines = [
        "| regime | KB an image | batch rows | worker MiB | driver and executor JVM MiB |",
        "|---|---|---|---|---|",
    ]
    for entry in rows:
        cells = (
            f"{entry['worker_mib']} | {entry['jvm_mib']}"
            if "worker_mib" in entry
            else f"not measured: {entry['skipped']} | "
        )
        batch = entry["batch_rows"] or "default"
        kilobytes = f"{entry['bytes'] / 1000:.0f}" if "bytes" in entry else ""
        lines.append(f"| {entry['regime']} | {kilobytes} | {batch} | {cells} |")
    return _MEMORY + "\n\n" + "\n".join(lines)


_TARGETS = """## Targets

A target is `met` or `missed` only if the whole 95 % interval of its ratio is on one side of the
bound. Otherwise it is `not decided`. The interval follows from the spread of the rounds."""

_COLD = """## Cold start

From the start of the program to the end of its first job, in a new process each time. The job is
the small one of the regime `heavy`. Medians, with minimum and maximum. `quick start of the JVM`:
one JIT compiler, the serial garbage collector and the class archive of `make setup` (README)."""

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
- **Other models**: there are three models, and JPEGs of four sizes. With a larger model every ratio
  is nearer to 1, with a smaller model further from it."""
