"""Rows for one run of the model, from any number of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sightline.backends.backend import Array
from sightline.engine.request import Outcome
from sightline.row_error import RowError


@dataclass(slots=True)
class ModelBatch:
    """Input values and the output rows of their results.

    Args:
        outcomes: For each row, the outcome that receives its result.
        rows: For each row, the row in that outcome.
        values: For each row, its value for each input, not copied.
        input_bytes: Total bytes of the values.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    values: list[Sequence[Any]] = field(default_factory=list)
    input_bytes: int = 0

    def add(self, values: Sequence[Any], outcome: Outcome, row: int) -> None:
        """Add one row to this batch."""
        self.values.append(values)
        self.outcomes.append(outcome)
        self.rows.append(row)
        self.input_bytes += sum(value.nbytes for value in values)
        outcome.waiting += 1

    def __len__(self) -> int:
        return len(self.rows)

    def finish(self, result: BatchResult) -> None:
        """Store the results in the outcomes."""
        for i, error in result.errors.items():
            self.outcomes[i].errors[self.rows[i]] = error
        for at, problem in result.problems.items():
            i = result.written[at]
            self.outcomes[i].errors[self.rows[i]] = RowError("MODEL", "infer", problem)
        good = (at for at in range(len(result.written)) if at not in result.problems)
        for _, group in groupby(good, lambda at: id(self.outcomes[result.written[at]])):
            places = list(group)
            rows = [self.rows[result.written[at]] for at in places]
            outcome = self.outcomes[result.written[places[0]]]
            for kept, found in zip(outcome.arrays, result.arrays, strict=True):
                kept[rows] = found[places]
            outcome.present[rows] = True
        for outcome in self.outcomes:
            outcome.waiting -= 1


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one batch.

    Args:
        arrays: What the heads keep of each written row, in the order of `written`.
        problems: By place in `written`, why the model gave no result.
        written: Indices in the batch of the rows that the feeds could write.
        errors: The other rows' errors, by index in the batch.
        feed_cpu_s: CPU time of the worker thread for the feeds: decoding and resizing.
        infer_cpu_s: CPU time of the worker thread for the model and the heads.
        infer_wall_s: Wall time for the model and the heads.
    """

    arrays: Sequence[Array]
    problems: Mapping[int, str]
    written: list[int]
    errors: dict[int, RowError]
    feed_cpu_s: float
    infer_cpu_s: float
    infer_wall_s: float
