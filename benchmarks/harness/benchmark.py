"""The whole benchmark: regimes, memory, and the record that the page is made from."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from harness import catalogue, environments
from harness.catalogue import choose
from harness.contender import Contender
from harness.coprocess import Program
from harness.machine import describe_commit, describe_machine, describe_versions
from harness.measure import Measurement, Row
from harness.memory import measure_memory
from harness.regime import Regime, open_regime
from sightline.errors import SightlineError

FORMAT = 1


@dataclass(frozen=True)
class BenchArguments:
    """What is run.

    Args:
        repository: The checkout: contenders, jar and models.
        regimes: ``heavy``, ``light``.
        contenders: A comma list; None: all.
        rounds: How often each is measured, at least 1.
        images: Of a full job; None: the regime's own.
        memory: Whether the memory of a worker is measured by batch size.
        work: Where everything that is made goes.
        output: The record to write; what it says of growth is kept.
    """

    repository: Path
    regimes: tuple[str, ...]
    contenders: str | None
    rounds: int
    images: int | None
    memory: Literal["measured", "left out"]
    work: Path
    output: Path


def run_benchmark(arguments: BenchArguments) -> dict[str, Any]:
    """Measure, write the record, and give it.

    Raises:
        WrongUseError: UNKNOWN_CONTENDER.
        SightlineError: BENCH_SETUP; WRONG_LABELS, after the record was written, if a contender
            that must give the raw parts' labels gave others.
    """
    started = time.time()
    chosen = choose(arguments.contenders)
    record: dict[str, Any] = {
        "format": FORMAT,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "rounds": arguments.rounds,
        "contenders": arguments.contenders or "all",
        "machine": describe_machine(),
        "versions": describe_versions(arguments.repository),
        "commit": describe_commit(arguments.repository),
        "regimes": [],
        "memory": [],
    }
    calibration: Literal["wanted", "not wanted"] = "not wanted"
    if any(contender.labels == "alike" for contender in chosen if contender.program == "sightline"):
        calibration = "wanted"
    for name in arguments.regimes:
        regime = open_regime(
            name, arguments.repository, arguments.work, arguments.images, calibration
        )
        if isinstance(regime, str):
            record["regimes"].append({"name": name, "skipped": regime})
            tqdm.write(f"{name}: skipped: {regime}", sys.stderr)
            continue
        rows = measure(regime, chosen, arguments.rounds, arguments.repository, arguments.work)
        record["regimes"].append(
            {
                "name": name,
                "title": regime.title,
                "source": regime.source,
                "model": regime.model.name,
                "images": regime.images,
                "calibration": regime.calibration,
                "skipped": None,
                "contenders": [row.to_json() for row in rows],
            }
        )
        if arguments.memory == "measured":
            record["memory"] += measure_memory(regime, arguments.repository, arguments.work)
        record["seconds"] = round(time.time() - started, 1)
        write_record(arguments.output, record)  # what is measured outlives a run that is cut short
    record["seconds"] = round(time.time() - started, 1)
    write_record(arguments.output, record)
    _require_labels(record)
    return record


def measure(
    regime: Regime, chosen: tuple[Contender, ...], rounds: int, repository: Path, work: Path
) -> list[Row]:
    """Measure some contenders of a regime, with progress, and tell which were skipped."""
    with tqdm(total=1, unit=" jobs", file=sys.stderr, desc=regime.name, mininterval=1) as bar:

        def say(what: str) -> None:
            bar.set_postfix_str(what, refresh=True)
            bar.update()

        programs = _Programs(repository, work, regime)
        measurement = Measurement(regime, chosen, programs, work, say)
        bar.total = measurement.jobs(rounds)
        rows = measurement.run(rounds)
    for row in rows:
        if row.skipped is not None:
            tqdm.write(f"{regime.name}: {row.contender.name} skipped: {row.skipped}", sys.stderr)
    return rows


class _Programs:
    """Programs of a regime by name; installs what one needs when it is asked for."""

    def __init__(self, repository: Path, work: Path, regime: Regime) -> None:
        self._repository = repository
        self._work = work
        self._regime = regime

    def __call__(self, name: str, folder: Path) -> Program | str:
        repository, work = self._repository, self._work
        interpreter, overlay = Path(sys.executable), work / "pandas"
        if name in ("ray", "daft"):
            interpreter, reason = environments.peers(repository, work)
        elif name == "pyspark":
            overlay, reason = environments.pandas(repository, work)
        elif name == "sightline" and not (repository / "dist/sightline.jar").is_file():
            reason = "dist/sightline.jar is missing: run `make setup`"
        else:
            reason = None
        if reason is not None:
            return reason
        model = self._regime.model
        return catalogue.program(name, repository, model, folder, interpreter, overlay)


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write the record; what is there and the record has not, such as growth, stays."""
    kept = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if kept.get("format", FORMAT) != FORMAT:
        kept = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(kept | record, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, "utf-8")


def _require_labels(record: dict[str, Any]) -> None:
    wrong = [
        f"{row['name']} ({regime['name']}: {row['agreement']['same']:.1%} of the labels, "
        f"scores to {row['agreement']['max_delta']:.1e})"
        for regime in record["regimes"]
        for row in regime.get("contenders", ())
        if (row["agreement"] or {}).get("verdict") == "wrong"
    ]
    if wrong:
        raise SightlineError(
            "WRONG_LABELS",
            "same decoder and precision, other labels or scores than the raw parts: "
            + "; ".join(wrong)
            + ". Its figures compare nothing.",
        )
