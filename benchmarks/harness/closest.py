"""More rounds for the contenders that a few rounds cannot tell apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.benchmark import measure, write_record
from harness.catalogue import CONTENDERS
from harness.regime import open_regime
from harness.summary import cpu_ms
from sightline.errors import WrongUseError

_CLOSE = 1.3  # times our own figure
_OURS = ("spark-parquet", "spark-folder")


@dataclass(frozen=True)
class ClosestArguments:
    """What is measured once more.

    Args:
        repository: The checkout.
        work: Where everything that is made goes.
        record: Of `sightline bench`: what is measured is added to its samples.
        rounds: How often, at least 1.
    """

    repository: Path
    work: Path
    record: Path
    rounds: int


def measure_closest(arguments: ClosestArguments) -> dict[str, Any]:
    """Measure the closest contenders of each regime again, in turn and with full jobs.

    Raises:
        WrongUseError: BENCH_NO_RECORD.
        SightlineError: BENCH_SETUP.
    """
    if not arguments.record.is_file():
        message = f"{arguments.record} is not there: run `sightline bench` first."
        raise WrongUseError("BENCH_NO_RECORD", message)
    record: dict[str, Any] = json.loads(arguments.record.read_text("utf-8"))
    for measured in record["regimes"]:
        if measured["skipped"]:
            continue
        name, images = measured["name"], measured["images"]
        repository, work = arguments.repository, arguments.work
        regime = open_regime(name, repository, work, images, "wanted")
        if isinstance(regime, str):
            continue
        names = closest(measured)
        chosen = tuple(
            replace(contender, share=1.0, cold="warm only")
            for contender in CONTENDERS
            if contender.name in names
        )
        started = datetime.now(UTC).isoformat(timespec="seconds")
        rows = {
            row.contender.name: row
            for row in measure(regime, chosen, arguments.rounds, repository, work)
        }
        for row in measured["contenders"]:
            if row["name"] in rows:
                row["warm"] += rows[row["name"]].warm
        again = {"started": started, "rounds": arguments.rounds, "names": list(rows)}
        measured.setdefault("again", []).append(again)
        write_record(arguments.record, record)
    return record


def closest(regime: dict[str, Any]) -> list[str]:
    """The raw parts, ours, ours below fp32, and the tuned peers that cost little more than ours."""
    own = cpu_ms(regime, _OURS[0]) or 0.0
    return [
        row["name"]
        for row in regime["contenders"]
        if not row["skipped"] and row["documented"] == "tuned"
        if row["family"] == "raw"
        or row["name"] in _OURS
        or (row["family"] == "sightline" and row["precision"] != "fp32")
        or (row["family"] == "peer" and (cpu_ms(regime, row["name"]) or 0.0) <= _CLOSE * own)
    ]
