"""Images for one run of the model, from any number of requests."""

from __future__ import annotations

from dataclasses import dataclass, field

from sightline.engine.request import Outcome
from sightline.engine.scores import Ranked
from sightline.row_error import RowError


@dataclass(slots=True)
class ModelBatch:
    """Encoded images, and the rows that wait for them.

    Args:
        outcomes: For each image, where its result goes,
        rows: and at which row of it.
        contents: The encoded images, read in place.
        image_bytes: Their length in all.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    contents: list[memoryview] = field(default_factory=list)
    image_bytes: int = 0

    def add(self, content: memoryview, outcome: Outcome, row: int) -> None:
        """Let one more image wait for this batch."""
        self.contents.append(content)
        self.outcomes.append(outcome)
        self.rows.append(row)
        self.image_bytes += len(content)
        outcome.waiting += 1

    def __len__(self) -> int:
        return len(self.rows)

    def finish(self, result: BatchResult) -> None:
        """Hand the results out to the rows."""
        for i, error in result.errors.items():
            self.outcomes[i].errors[self.rows[i]] = error
        for at, i in enumerate(result.decoded):
            outcome, row = self.outcomes[i], self.rows[i]
            if result.ranked.valid[at]:
                outcome.class_ids[row] = result.ranked.class_ids[at]
                outcome.scores[row] = result.ranked.scores[at]
                outcome.predicted[row] = True
            else:
                message = "The model gave a score that is not a number."
                outcome.errors[row] = RowError("MODEL", "infer", message)
        for outcome in self.outcomes:
            outcome.waiting -= 1


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a worker thread made of one batch.

    Args:
        ranked: For each image that was decoded, in the order of `decoded`.
        decoded: Their places in the batch.
        errors: By place, of the others.
        decode_cpu_s: Time of the worker thread.
        infer_cpu_s: The same, for the model and the ranking.
        infer_wall_s: By the clock.
    """

    ranked: Ranked
    decoded: list[int]
    errors: dict[int, RowError]
    decode_cpu_s: float
    infer_cpu_s: float
    infer_wall_s: float
