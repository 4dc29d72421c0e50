"""Measures the contenders of one regime in turn."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.contenders import Contender, Job
from harness.coprocess import Coprocess, Program
from harness.errors import BenchError
from harness.inputs import Inputs, prepare_inputs
from harness.labels import Labels, compare, read_labels
from harness.programs import find_program
from harness.regimes import Regime
from harness.usage import Usage, marginal

_REFERENCE = "raw-inference"
_MIN_IMAGES = 8


@dataclass
class Row:
    """The measurements of one contender.

    Args:
        contender: The contender.
        images: Images of a job.
        skipped: Why it was not measured, or None.
        agreement: Comparison of its labels with the reference, and a verdict.
        warm: One sample per round, from a pair of jobs.
        cold: One sample per round, from start-up to the end of the first job.
    """

    contender: Contender
    images: int
    skipped: str | None = None
    agreement: dict[str, Any] | None = None
    warm: list[dict[str, Any]] = field(default_factory=list)
    cold: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the contender's description and all samples."""
        described = asdict(self.contender)
        for key in ("request", "regimes", "share", "program"):
            described.pop(key)
        measured = {"images": self.images, "skipped": self.skipped}
        samples = {"warm": self.warm, "cold": self.cold}
        return described | measured | samples | {"agreement": self.agreement}


def measure(regime: Regime, chosen: tuple[Contender, ...], rounds: int, work: Path) -> list[Row]:
    """Measure the contenders, with a progress bar on stderr; reasons of skipped ones are printed.

    Args:
        regime: Images and model.
        chosen: The contenders. Those of other regimes are ignored.
        rounds: Samples per contender, at least 1.
        work: Folder for inputs, outputs and logs.
    """
    with tqdm(total=1, unit=" jobs", file=sys.stderr, desc=regime.name, mininterval=1) as bar:

        def show(step: str) -> None:
            bar.set_postfix_str(step, refresh=True)
            bar.update()

        measurement = Measurement(regime, chosen, work, show)
        bar.total = measurement.steps(rounds)
        rows = measurement.run(rounds)
    for row in rows:
        if row.skipped is not None:
            tqdm.write(f"{regime.name}: {row.contender.name} skipped: {row.skipped}", sys.stderr)
    return rows


class Measurement:
    """The measurement of one regime.

    Args:
        regime: Images and model.
        contenders: Candidates; those of other regimes are ignored.
        work: Folder for inputs, outputs and logs.
        show: Called before each job with its description.
    """

    def __init__(
        self,
        regime: Regime,
        contenders: Iterable[Contender],
        work: Path,
        show: Callable[[str], None],
    ) -> None:
        self._regime = regime
        self._work = work
        self._show = show
        self._running: dict[str, Coprocess] = {}
        self._reference: Labels = {}
        self._outputs = 0
        self.rows = [
            Row(contender, max(int(regime.images * contender.share), _MIN_IMAGES))
            for contender in contenders
            if regime.name in contender.regimes
        ]

    def steps(self, rounds: int) -> int:
        """Return how often `show` will be called if no contender is skipped."""
        return len(self.rows) * (1 + 3 * rounds) + len(self._cold_rows()) * rounds

    def run(self, rounds: int) -> list[Row]:
        """Measure all contenders warm, then those with a cold start."""
        with ExitStack() as stack:
            stack.callback(self._close_all)
            for row in self.rows:
                self._attempt(row, self._warm_up)
            for at in range(rounds):
                shift = at * len(self.rows) // max(rounds, 1)  # the order changes by round
                for row in self.rows[shift:] + self.rows[:shift]:
                    self._attempt(row, partial(self._pair, round_=at))
        for _ in range(rounds):
            for row in self._cold_rows():
                self._attempt(row, self._cold_start)
        return self.rows

    def _cold_rows(self) -> list[Row]:
        """Return the rows with a cold start. Only the heavy regime has them: costs are equal."""
        heavy = self._regime.name == "heavy"
        return [row for row in self.rows if heavy and row.contender.cold == "cold"]

    def _attempt(self, row: Row, step: Callable[[Row], None]) -> None:
        if row.skipped is not None:
            return
        try:
            step(row)
        except BenchError as error:
            row.skipped = error.message
            process = self._running.get(row.contender.program)
            if process is not None and not process.alive:
                self._running.pop(row.contender.program).close()

    def _warm_up(self, row: Row) -> None:
        """Run an unmeasured job and compare its labels.

        It has 2N images, so that every worker process gets some and loads the model.
        """
        self._show(f"{row.contender.name}: warm-up")
        self._job(self._process(row), row, 2 * row.images, self._comparison(row))

    def _comparison(self, row: Row) -> Callable[[Path], None] | None:
        if row.contender.labels == "none":
            return None

        def compare_output(output: Path) -> None:
            found = read_labels(output)
            if row.contender.name == _REFERENCE:
                self._reference = found
            names = sorted(self._reference)[: row.images]
            agreement = compare({name: self._reference[name] for name in names}, found)
            verdict = "exact" if agreement.exact else "alike"
            if row.contender.labels == "exact" and not agreement.exact:
                verdict = "wrong"
            row.agreement = asdict(agreement) | {"verdict": verdict}

        return compare_output

    def _pair(self, row: Row, round_: int) -> None:
        """Measure a job of N and a job of 2N images; their order alternates by round.

        An unmeasured job runs first. Spark stops Python workers that were idle for a minute, which
        all were during the turns of the others. That job starts workers and loads the model again.
        """
        if row.contender.program not in self._running:
            self._warm_up(row)
        self._show(f"{row.contender.name}: unmeasured job")
        self._job(self._process(row), row, row.images)
        used = {}
        sizes = (row.images, 2 * row.images)
        for images in sizes if round_ % 2 == 0 else sizes[::-1]:
            self._show(f"{row.contender.name}: {images} images")
            used[images] = self._job(self._process(row), row, images)
        small, large = used[sizes[0]], used[sizes[1]]
        pair = {"small": small.to_json(), "large": large.to_json()}
        row.warm.append({**marginal(small, large), **pair})

    def _cold_start(self, row: Row) -> None:
        self._show(f"{row.contender.name}: cold start")
        name = row.contender.program
        with Coprocess(self._program(name), self._log(f"{name}-cold")) as process:
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
        inspect: Callable[[Path], None] | None = None,
    ) -> Usage:
        self._outputs += 1
        output = self._work / "outputs" / f"{row.contender.name}-{self._outputs}"
        job = Job(self._inputs(images), output, self._regime.model, self._work / "scratch")
        usage, _ = process.ask(row.contender.request(job), images)
        try:
            if inspect is not None:
                inspect(output)
            return replace(usage, counters=_counters(output))
        finally:
            shutil.rmtree(output, ignore_errors=True)

    def _inputs(self, images: int) -> Inputs:
        folder = self._work / "inputs" / f"{self._regime.name}-{images}"
        return prepare_inputs(self._regime.files, images, folder)

    def _process(self, row: Row) -> Coprocess:
        name = row.contender.program
        if name not in self._running:
            self._running[name] = Coprocess(self._program(name), self._log(name))
        return self._running[name]

    def _program(self, name: str) -> Program:
        images = self._inputs(self._regime.images).folder
        return find_program(name, self._regime.model, images, self._work)

    def _log(self, name: str) -> Path:
        return self._work / "logs" / f"{self._regime.name}-{name}.log"

    def _close_all(self) -> None:
        for process in self._running.values():
            process.close()
        self._running.clear()


def _counters(output: Path) -> dict[str, float]:
    """Return the engine's counters from run.json, if the job was Sightline's `predict`."""
    try:
        record = json.loads((output / "_run/run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        name: value
        for name, value in record.get("worker", {}).items()
        if isinstance(value, int | float)
    }
