"""Images for one run of the model, from any number of requests."""

from __future__ import annotations

from dataclasses import dataclass, field

from sightline.engine.request import Outcome
from sightline.engine.scores import Ranked
from sightline.row_error import RowError


@dataclass(slots=True)
class ModelBatch:
    """Encoded images and the output rows of their results.

    Args:
        outcomes: For each image, the outcome that receives its result.
        rows: For each image, the row in that outcome.
        contents: The encoded images, not copied.
        image_bytes: Total bytes of the encoded images.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    contents: list[memoryview] = field(default_factory=list)
    image_bytes: int = 0

    def add(self, content: memoryview, outcome: Outcome, row: int) -> None:
        """Add one image to this batch."""
        self.contents.append(content)
        self.outcomes.append(outcome)
        self.rows.append(row)
        self.image_bytes += len(content)
        outcome.waiting += 1

    def __len__(self) -> int:
        return len(self.rows)

    def finish(self, result: BatchResult) -> None:
        """Store the results in the outcomes."""
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
    """The result of one batch.

    Args:
        ranked: The classes of each decoded image, in the order of `decoded`.
        decoded: Indices in the batch of the decoded images.
        errors: The other images' errors, by index in the batch.
        decode_cpu_s: CPU time of the worker thread for decoding and resizing.
        infer_cpu_s: CPU time of the worker thread for the model and the ranking.
        infer_wall_s: Wall time for the model and the ranking.
    """

    ranked: Ranked
    decoded: list[int]
    errors: dict[int, RowError]
    decode_cpu_s: float
    infer_cpu_s: float
    infer_wall_s: float
