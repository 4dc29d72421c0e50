"""Measures the contenders of one regime in turn."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
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
from harness.programs import SPARK_PROGRAMS, find_program
from harness.regimes import Regime
from harness.usage import Usage

REFERENCE = "raw-inference"
Counts = tuple[int, ...]
"""Images of each set of a regime."""


@dataclass
class Row:
    """The measurements of one contender.

    Args:
        contender: The contender.
        labels: What is expected of its labels in this regime.
        sizes: Images of each set in each of its jobs.
        skipped: Why it was not measured, or None.
        agreement: Comparison of its labels with the reference, and a verdict.
        jobs: The measured jobs, each with its ``round`` and ``images``, a count per set.
    """

    contender: Contender
    labels: str
    sizes: tuple[Counts, ...]
    skipped: str | None = None
    agreement: dict[str, Any] | None = None
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the contender's description and all jobs."""
        described = asdict(self.contender)
        for key in ("request", "regimes", "share", "program", "cold"):
            described.pop(key)
        measured = {"labels": self.labels, "sizes": self.sizes, "skipped": self.skipped}
        return described | measured | {"jobs": self.jobs, "agreement": self.agreement}

    def missing(self, round_: int) -> list[Counts]:
        """Return the sizes that were not measured in a round."""
        done = [tuple(job["images"]) for job in self.jobs if job["round"] == round_]
        return [size for size in self.sizes if size not in done]


def rows_of(
    regime: Regime, contenders: Iterable[Contender], measured: Sequence[dict[str, Any]] = ()
) -> list[Row]:
    """Return a row for each contender of the regime, with what an earlier run measured.

    Args:
        regime: Images and model.
        contenders: Candidates; those of other regimes are ignored.
        measured: Rows of a record. A contender that was skipped is tried again.
    """
    found = {row["name"]: row for row in measured}
    rows = []
    for contender in contenders:
        if regime.name not in contender.regimes:
            continue
        row = Row(contender, contender.labels_in(regime.name), regime.jobs_of(contender.share))
        earlier = found.get(contender.name)
        if earlier is not None:
            row.jobs, row.agreement = list(earlier["jobs"]), earlier["agreement"]
        rows.append(row)
    return rows


class Measurement:
    """The measurement of one regime; leaving the context ends all programs.

    Args:
        regime: Images and model.
        rows: Contenders, with the jobs that an earlier run measured.
        batch_rows: Images in a batch of the model, for raw inference and tuned peers.
        work: Folder for inputs, outputs and logs.
        save: Called after each measured job.
    """

    def __init__(
        self,
        regime: Regime,
        rows: Sequence[Row],
        batch_rows: int,
        work: Path,
        save: Callable[[], None],
    ) -> None:
        self.rows = list(rows)
        self._regime = regime
        self._batch_rows = batch_rows
        self._work = work
        self._save = save
        self._running: dict[str, Coprocess] = {}
        self._warm: set[str] = set()
        self._reference: Labels = {}
        self._outputs = 0
        self._stack = ExitStack()
        self._bar: Any = None

    def __enter__(self) -> Measurement:
        self._stack.callback(self._close_all)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, rounds: range, names: Sequence[str] | None = None) -> None:
        """Measure rounds of the contenders, with a progress bar on stderr.

        Jobs that are in the rows already are left out.

        Args:
            rounds: Numbers of the rounds.
            names: Contenders; None: all.
        """
        rows = [row for row in self.rows if names is None or row.contender.name in names]
        todo = [row for row in rows if any(row.missing(at) for at in rounds)]
        if not todo:
            return
        steps = sum(len(row.missing(at)) for row in todo for at in rounds)
        with tqdm(
            total=steps + len(todo), unit=" jobs", file=sys.stderr, desc=self._regime.name
        ) as self._bar:
            reference = next(row for row in self.rows if row.contender.name == REFERENCE)
            for row in [reference, *todo]:
                if row.contender.name not in self._warm:
                    self._attempt(row, self._warm_up)
            for at in rounds:
                shift = at * len(todo) // max(len(rounds), 1) % len(todo)  # another order
                for row in todo[shift:] + todo[:shift]:
                    self._attempt(row, partial(self._round, round_=at))
        for row in todo:
            if row.skipped is not None:
                text = f"{self._regime.name}: {row.contender.name} skipped: {row.skipped}"
                tqdm.write(text, sys.stderr)

    def _attempt(self, row: Row, step: Callable[[Row], None]) -> None:
        if row.skipped is not None:
            return
        try:
            step(row)
        except BenchError as error:
            row.skipped = error.message
            self._save()
            process = self._running.get(row.contender.program)
            if process is not None and not process.alive:
                self._running.pop(row.contender.program).close()

    def _warm_up(self, row: Row) -> None:
        """Run an unmeasured job with each distinct image once, and compare its labels.

        Every worker process gets some images and loads the model.
        """
        self._warm.add(row.contender.name)
        self._show(f"{row.contender.name}: warm-up")
        counts = self._regime.distinct_images(row.contender.share)
        self._job(self._process(row), row, counts, self._comparison(row))

    def _comparison(self, row: Row) -> Callable[[Path], None] | None:
        if row.labels == "none":
            return None

        def compare_output(output: Path) -> None:
            found = read_labels(output)
            if row.contender.name == REFERENCE:
                self._reference = found
            counts = self._regime.distinct_images(row.contender.share)
            names = {file.name for file in self._inputs(counts).folder.iterdir()}
            expected = {name: self._reference[name] for name in self._reference if name in names}
            agreement = compare(expected, found)
            verdict = "exact" if agreement.exact else "alike"
            if row.labels == "exact" and not agreement.exact:
                verdict = "wrong"
            row.agreement = asdict(agreement) | {"verdict": verdict}

        return compare_output

    def _round(self, row: Row, round_: int) -> None:
        """Measure one job of each size; their order alternates by round.

        With Spark an unmeasured job runs first. Spark stops Python workers that were idle for a
        minute, which all were during the turns of the others. That job starts workers and loads
        the model again.
        """
        missing = row.missing(round_)
        if not missing:
            return
        program = row.contender.program
        ended = program not in self._running  # with the job of another contender
        if program in SPARK_PROGRAMS or ended:
            self._job(self._process(row), row, row.sizes[0])
        for counts in missing if round_ % 2 == 0 else missing[::-1]:
            images = " + ".join(str(count) for count in counts)
            self._show(f"{row.contender.name}: {images} images")
            used = self._job(self._process(row), row, counts)
            row.jobs.append({**used.to_json(), "round": round_, "images": list(counts)})
            self._save()

    def _job(
        self,
        process: Coprocess,
        row: Row,
        counts: Counts,
        inspect: Callable[[Path], None] | None = None,
    ) -> Usage:
        self._outputs += 1
        output = self._work / "outputs" / f"{row.contender.name}-{self._outputs}"
        shutil.rmtree(output, ignore_errors=True)
        job = Job(self._inputs(counts), output, self._regime.model, self._work / "scratch")
        usage, _ = process.ask(row.contender.request(job), sum(counts))
        try:
            if inspect is not None:
                inspect(output)
            return replace(usage, counters=_counters(output))
        finally:
            shutil.rmtree(output, ignore_errors=True)

    def _inputs(self, counts: Counts) -> Inputs:
        return regime_inputs(self._regime, counts, self._work)

    def _process(self, row: Row) -> Coprocess:
        name = row.contender.program
        if name not in self._running:
            log = self._work / "logs" / f"{self._regime.name}-{name}.log"
            program = regime_program(self._regime, name, self._batch_rows, self._work)
            self._running[name] = Coprocess(program, log)
        return self._running[name]

    def _show(self, step: str) -> None:
        self._bar.set_postfix_str(step, refresh=True)
        self._bar.update()

    def _close_all(self) -> None:
        for process in self._running.values():
            process.close()
        self._running.clear()


def regime_inputs(regime: Regime, counts: Counts, work: Path) -> Inputs:
    """Return that many images of each set of a regime, and write them if they are missing."""
    size = "-".join(str(count) for count in counts)
    return prepare_inputs(regime.sets, counts, work / "inputs" / f"{regime.name}-{size}")


def regime_program(regime: Regime, name: str, batch_rows: int, work: Path) -> Program:
    """Return a contender's program for the model and the distinct images of a regime.

    Raises:
        BenchError: BENCH_PROGRAM_ABSENT.
    """
    images = regime_inputs(regime, regime.distinct_images(1.0), work).folder
    return find_program(name, regime.model, images, work, batch_rows)


def best_batch_rows(regime: Regime, work: Path) -> int:
    """Return the batch size with which raw inference costs least, of 1, 2, 4, … 32.

    Raises:
        BenchError: BENCH_PROGRAM_FAILED.
    """
    tqdm.write(f"{regime.name}: batch size of raw inference", sys.stderr)
    program = regime_program(regime, "parts", 1, work)
    with Coprocess(program, work / "logs" / f"{regime.name}-batch.log") as process:
        _, answer = process.ask(json.dumps({"shape": "raw-batch", "images": 1}), 1)
    return int(answer["rows"])


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
