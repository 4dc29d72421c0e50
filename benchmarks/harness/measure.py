"""Measures the contenders of a regime: they take turns, and each turn is a pair of jobs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.agreement import Labels, compare, read_labels
from harness.contender import Contender, Job
from harness.coprocess import Coprocess, Program
from harness.figures import Usage, marginal
from harness.inputs import Inputs, prepare
from harness.regime import Regime
from sightline.errors import SightlineError

REFERENCE = "raw-inference"
_LEAST_IMAGES = 8
Say = Callable[[str], None]


@dataclass
class Row:
    """What was measured of one contender so far."""

    contender: Contender
    images: int
    skipped: str | None = None
    agreement: dict[str, Any] | None = None
    warm: list[dict[str, Any]] = field(default_factory=list)
    cold: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """All samples, and what the row is."""
        described = asdict(self.contender)
        for key in ("line", "regimes", "share", "program"):
            described.pop(key)
        cold = {"cold": self.cold}
        measured = {"images": self.images, "skipped": self.skipped, "warm": self.warm, **cold}
        return described | measured | {"agreement": self.agreement}


class Measurement:
    """One regime's measurement.

    Args:
        regime: Images and model.
        contenders: Who takes part.
        programs: How each program is started, or the reason why it cannot be.
        work: Where inputs, outputs and logs go.
        say: Told what runs, before each job.
    """

    def __init__(
        self,
        regime: Regime,
        contenders: Iterable[Contender],
        programs: Callable[[str, Path], Program | str],
        work: Path,
        say: Say,
    ) -> None:
        self._regime = regime
        self._programs = programs
        self._work = work
        self._say = say
        self._open: dict[str, Coprocess] = {}
        self._reference: Labels = {}
        self._outputs = 0
        self.rows = [
            Row(contender, max(int(regime.images * contender.share), _LEAST_IMAGES))
            for contender in contenders
            if regime.name in contender.regimes
        ]

    def jobs(self, rounds: int) -> int:
        """How often `say` will be called, if nothing is skipped."""
        return len(self.rows) * (1 + 3 * rounds) + len(self._cold_rows()) * rounds

    def run(self, rounds: int) -> list[Row]:
        """Measure warm, then cold."""
        with ExitStack() as stack:
            stack.callback(self._close_all)
            for row in self.rows:
                self._attempt(row, self._warm_up)
            for at in range(rounds):
                shift = at * len(self.rows) // max(rounds, 1)  # nobody is always last
                for row in self.rows[shift:] + self.rows[:shift]:
                    self._attempt(row, partial(self._pair, round_=at))
        for _ in range(rounds):
            for row in self._cold_rows():
                self._attempt(row, self._start_anew)
        return self.rows

    def _cold_rows(self) -> list[Row]:
        """A start costs the same in both regimes: it is measured in the first."""
        heavy = self._regime.name == "heavy"
        return [row for row in self.rows if heavy and row.contender.cold == "cold"]

    def _attempt(self, row: Row, measure: Callable[[Row], None]) -> None:
        if row.skipped is not None:
            return
        try:
            measure(row)
        except SightlineError as error:
            row.skipped = error.message
            process = self._open.get(row.contender.program)
            if process is not None and not process.alive:
                self._open.pop(row.contender.program).close()

    def _warm_up(self, row: Row) -> None:
        """The first job: not measured, but its labels are compared.

        It holds 2N images, so that every worker gets some and loads its model now.
        """
        self._say(f"{row.contender.name}: first job")
        self._job(self._program(row), row, 2 * row.images, self._compare(row))

    def _compare(self, row: Row) -> Callable[[Path], None] | None:
        if row.contender.labels == "none":
            return None

        def look(output: Path) -> None:
            found = read_labels(output)
            if row.contender.name == REFERENCE:
                self._reference = found
            names = sorted(self._reference)[: row.images]
            agreement = compare({name: self._reference[name] for name in names}, found)
            verdict = "exact" if agreement.exact else "alike"
            if row.contender.labels == "exact" and not agreement.exact:
                verdict = "wrong"
            row.agreement = asdict(agreement) | {"verdict": verdict}

        return look

    def _pair(self, row: Row, round_: int) -> None:
        """A job and one of twice the images; which comes first changes with the round.

        A job that is not counted goes before them. Spark ends Python workers that were idle for a
        minute, and while the others had their turn all were: the first job starts them again and
        loads the model, which the other one would not pay.
        """
        if row.contender.program not in self._open:  # it ended: its start is none of this pair's
            self._warm_up(row)
        self._say(f"{row.contender.name}: awake")
        self._job(self._program(row), row, row.images)
        used = {}
        sizes = (row.images, 2 * row.images)
        for images in sizes if round_ % 2 == 0 else sizes[::-1]:
            self._say(f"{row.contender.name}: {images} images")
            used[images] = self._job(self._program(row), row, images)
        small, large = used[sizes[0]], used[sizes[1]]
        pair = {"small": small.to_json(), "large": large.to_json()}
        row.warm.append({**marginal(small, large), **pair})

    def _start_anew(self, row: Row) -> None:
        self._say(f"{row.contender.name}: from its start")
        name = row.contender.program
        with Coprocess(self._known(name), self._log(f"{name}-cold")) as process:
            first = self._job(process, row, row.images)
            row.cold.append(
                process.since_start(first).to_json()
                | {
                    "worker_mib": round(process.tree.largest_worker_mib(), 1),
                    "jvm_mib": round(process.tree.jvm_mib(), 1),
                }
            )

    def _job(
        self,
        process: Coprocess,
        row: Row,
        images: int,
        look: Callable[[Path], None] | None = None,
    ) -> Usage:
        self._outputs += 1
        output = self._work / "outputs" / f"{row.contender.name}-{self._outputs}"
        job = Job(self._inputs(images), output, self._regime.model, self._work / "notes")
        usage, _ = process.ask(row.contender.line(job), images)
        try:
            if look is not None:
                look(output)
            return replace(usage, counters=_counters(output))
        finally:
            shutil.rmtree(output, ignore_errors=True)

    def _inputs(self, images: int) -> Inputs:
        place = self._work / "inputs" / f"{self._regime.name}-{images}"
        return prepare(self._regime.files, images, place)

    def _program(self, row: Row) -> Coprocess:
        name = row.contender.program
        if name not in self._open:
            self._open[name] = Coprocess(self._known(name), self._log(name))
        return self._open[name]

    def _known(self, name: str) -> Program:
        program = self._programs(name, self._inputs(self._regime.images).folder)
        if isinstance(program, str):
            raise SightlineError("BENCH_PROGRAM_ABSENT", program)
        return program

    def _log(self, name: str) -> Path:
        return self._work / "logs" / f"{self._regime.name}-{name}.log"

    def _close_all(self) -> None:
        for process in self._open.values():
            process.close()
        self._open.clear()


def _counters(output: Path) -> dict[str, float]:
    """What the engine counted, if this was Sightline's `predict`."""
    try:
        record = json.loads((output / "_run/run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        name: value
        for name, value in record.get("worker", {}).items()
        if isinstance(value, int | float)
    }
