"""What a training run reports: progress within an epoch, and one record for each epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of an epoch that runs.

    Args:
        epoch: From 1.
        epochs: Epochs of the run.
        batch: Batches of the epoch that are done.
        batches: Batches of an epoch.
        loss: Mean loss of the epoch so far.
        images_per_second: Of all workers together, since this process began.
        wait_share: Share of the time in which this worker waited for samples, 0..1.
        seconds_left: Estimate until the last epoch ends.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    images_per_second: float
    wait_share: float
    seconds_left: float

    def line(self) -> str:
        """Return the line that a user sees."""
        left = round(self.seconds_left)
        return (
            f"epoch {self.epoch}/{self.epochs}, batch {self.batch}/{self.batches}: "
            f"loss {self.loss:.4f}, {self.images_per_second:.1f} images/s, "
            f"data wait {100 * self.wait_share:.1f} %, {left // 60}:{left % 60:02d} left"
        )


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """The results of one epoch.

    Args:
        epoch: From 1.
        step: Batches since the start of the run.
        loss: Mean loss of the training samples, while they were trained on.
        learning_rate: Of the last batch.
        validation_loss: Mean cross-entropy; None without a validation part.
        validation_top1: Share of right samples, 0..1; None without a validation part.
        validation_top5: Share of samples whose class is among the five best; None as above.
        samples: Samples that the workers have trained on in the epoch, each once.
        images_per_second: Training samples of all workers in a second of training.
        wait_share: Share of the training time in which a worker waited for samples, 0..1.
        first_batch_seconds: Time from the start of the process's first epoch to its first batch.
        seconds: Time of the epoch with its validation; for a resumed epoch, of its second part.
        workers: Workers that trained the epoch's last batch.
    """

    epoch: int
    step: int
    loss: float
    learning_rate: float
    validation_loss: float | None
    validation_top1: float | None
    validation_top5: float | None
    samples: int
    images_per_second: float
    wait_share: float
    first_batch_seconds: float
    seconds: float
    workers: int

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        return asdict(self)

    def line(self) -> str:
        """Return the line that a user sees."""
        validation = ""
        if self.validation_top1 is not None and self.validation_loss is not None:
            validation = (
                f", validation loss {self.validation_loss:.4f}, "
                f"top-1 {100 * self.validation_top1:.1f} %"
            )
        return (
            f"epoch {self.epoch}: loss {self.loss:.4f}{validation}, {self.samples} images, "
            f"{self.images_per_second:.1f} images/s, data wait {100 * self.wait_share:.1f} %"
        )
