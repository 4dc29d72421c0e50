"""Writes the curves of a run for TensorBoard."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sightline.errors import SightlineError
from sightline.require_package import require_package
from sightline.train.checkpoint import Position
from sightline.train.epoch_record import EpochRecord, Progress
from sightline.train.step import rate_factor
from sightline.train.storage import Storage
from sightline.train.train_settings import TrainSettings

_OF_STEPS = ("images_per_second", "wait_share")
_OF_EPOCHS = (
    "loss",
    "validation_loss",
    "validation_top1",
    "validation_top5",
    "learning_rate",
    "images_per_second",
    "wait_share",
)


def require_tensorboard() -> None:
    """Raise an error if the package of TensorBoard is missing.

    Raises:
        WrongUseError: MISSING_PACKAGE.
    """
    require_package("tensorboard", install="sightline[tensorboard]", purpose="--tensorboard")


class TensorBoardWriter:
    """Event files with scalars of the steps (`step/…`) and of the epochs (`epoch/…`).

    They are in two folders, which TensorBoard shows as the runs ``steps`` and ``epochs``. A resumed
    run tells it to drop what was written after the checkpoint: a number of steps in one folder, and
    of epochs in the other.

    Args:
        folder: Where the folders ``steps`` and ``epochs`` are. Files of an object store are copied
            there after each epoch and before each checkpoint.
        settings: Of the run.
        batches: Batches of an epoch.
        position: Where the training begins.

    Raises:
        WrongUseError: MISSING_PACKAGE.
    """

    def __init__(
        self, folder: Storage, settings: TrainSettings, batches: int, position: Position
    ) -> None:
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self._folder, self._batches = folder, batches
        self._rate, self._factor = settings.learning_rate, rate_factor(settings, batches)
        self._stack = ExitStack()
        if folder.is_local:
            self._local = folder.path()
        else:
            scratch = tempfile.TemporaryDirectory(prefix="sightline-tensorboard-")
            self._local = Path(self._stack.enter_context(scratch))
        # Steps and epochs are counted from 1.
        self._steps = SummaryWriter(str(self._local / "steps"), purge_step=position.step + 1)
        self._epochs = SummaryWriter(str(self._local / "epochs"), purge_step=position.epoch + 1)

    def steps(self, first: int, losses: Sequence[float]) -> None:
        """Add the losses of consecutive steps, of which the first has a number from 1."""
        for step, loss in enumerate(losses, first):
            self._add(self._steps, "step/loss", loss, step)
            rate = self._rate * self._factor(step - 1)
            self._add(self._steps, "step/learning_rate", rate, step)

    def progress(self, state: Progress) -> None:
        """Add the speed and the data wait of the epoch so far."""
        step = (state.epoch - 1) * self._batches + state.batch
        for name in _OF_STEPS:
            self._add(self._steps, f"step/{name}", getattr(state, name), step)

    def epoch(self, record: EpochRecord) -> None:
        """Add the measures of an epoch, and write the files as `flush` does."""
        for name in _OF_EPOCHS:
            value = getattr(record, name)
            if value is not None:
                self._add(self._epochs, f"epoch/{name}", value, record.epoch)
        self.flush()

    def flush(self) -> None:
        """Write the files. A checkpoint must come after the curves of its steps."""
        for writer in (self._steps, self._epochs):
            writer.flush()
        self._send()

    def close(self) -> None:
        """Write what is left, and close the files."""
        for writer in (self._steps, self._epochs):
            writer.close()
        self._send()
        self._stack.close()

    def _add(self, writer: object, tag: str, value: float, step: int) -> None:
        writer.add_scalar(tag, value, step)  # type: ignore[attr-defined]

    def _send(self) -> None:
        if self._folder.is_local:
            return
        for file in sorted(self._local.rglob("events.*")):
            try:
                self._folder.store(file, file.relative_to(self._local).as_posix())
            except (OSError, SightlineError) as error:  # the training goes on without the curves
                reason = " ".join(str(error).split())[:300]
                sys.stderr.write(
                    f"sightline: TensorBoard's files are not in {self._folder.root}: {reason}\n"
                )
                return
