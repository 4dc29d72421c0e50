"""The training loop of one worker."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch

from sightline.backends.pytorch import PixelModel
from sightline.errors import SightlineError, WrongUseError
from sightline.out_of_memory import raise_if_out_of_memory
from sightline.train.augment import PixelReader
from sightline.train.batch_loader import Batch, BatchLoader
from sightline.train.checkpoint import Position, TrainState
from sightline.train.epoch_order import batches, epoch_order, share
from sightline.train.epoch_record import EpochRecord, Progress
from sightline.train.epoch_sums import EpochSums, TrainedRows
from sightline.train.network import build_network, freeze, preprocessing_of, set_training
from sightline.train.process_group import ProcessGroup, is_lost, lost
from sightline.train.sample_index import SampleIndex
from sightline.train.samples import Samples
from sightline.train.split_samples import TRAIN, VALIDATION
from sightline.train.step import batch_loss, make_optimizer, rate_factor, set_rate
from sightline.train.train_settings import TrainSettings
from sightline.train.validate import Validation, validate

_AHEAD = 3  # batches that are decoded ahead
_REPORT_SECONDS = 1.0
_CUDA_CHECK_STEPS = 16  # the loss leaves the device this often: each time waits for the device
_ONE_VALUE = "more than 1 value per channel"  # in torch's message
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the loop tells its caller, on the first worker alone.

    Args:
        progress: Called about once in a second.
        steps: Called with the number of a step, from 1, and the mean losses of it and of those
            after it.
        epoch_end: Called after each epoch's validation.
        checkpoint: Called with the state to save, the network's and the optimizer's state dicts.
    """

    progress: Callable[[Progress], None]
    steps: Callable[[int, Sequence[float]], None]
    epoch_end: Callable[[EpochRecord], None]
    checkpoint: Callable[[TrainState, Mapping[str, torch.Tensor], Mapping[str, Any]], None]


class TrainLoop:
    """A network, its optimizer and its position in the run.

    Args:
        settings: The run's settings.
        index: The samples.
        samples: Gives the samples of a part.
        group: The workers of the run.
        threads: Threads of this worker, for decoding and for the operators of the network.
        start: Start weights of the first worker, which the others get from it; None for random
            ones.

    Raises:
        WrongUseError: Errors of `build_network`; UNSUPPORTED_PRECISION for fp16 without CUDA.
    """

    def __init__(
        self,
        settings: TrainSettings,
        index: SampleIndex,
        samples: Callable[[str], Samples],
        group: ProcessGroup,
        threads: int,
        start: Mapping[str, torch.Tensor] | None,
    ) -> None:
        settings.require_device(group.device.type)
        torch.set_num_threads(threads)
        self._settings, self._index, self._group = settings, index, group
        self._train, self._validation = samples(TRAIN), samples(VALIDATION)
        self._loader_threads = threads
        preprocessing = preprocessing_of(settings)
        self._reader = PixelReader(preprocessing, settings.augment, settings.seed)
        self.network = build_network(settings, len(index.labels), start)
        self._evaluated = freeze(self.network, settings, len(index.labels))
        # As the pixels: weights of another layout are copied in each step.
        self.network.to(memory_format=torch.channels_last)
        self._model: torch.nn.Module = PixelModel(self.network, preprocessing).to(group.device)
        if group.workers > 1:
            ids = [group.device.index] if group.device.type == "cuda" else None
            self._model = torch.nn.parallel.DistributedDataParallel(self._model, device_ids=ids)
        self._optimizer = make_optimizer(self.network, settings)
        self._scaler = torch.amp.GradScaler("cuda", enabled=settings.precision == "fp16")
        self._batches = math.ceil(len(self._train) / settings.batch_size)
        self._factor = rate_factor(settings, self._batches)
        self._position = Position(0, 0, 0)
        self._history: list[Mapping[str, Any]] = []
        self._sums = EpochSums()
        self._trained = TrainedRows()
        self._began = time.monotonic()
        self._first_batch_seconds = 0.0

    @property
    def position(self) -> Position:
        """What has been trained."""
        return self._position

    def restore(
        self, state: TrainState, model: Mapping[str, torch.Tensor], optimizer: Mapping[str, Any]
    ) -> None:
        """Continue from a checkpoint."""
        self.network.load_state_dict(dict(model))
        self._optimizer.load_state_dict(dict(optimizer))
        for group in self._optimizer.param_groups:  # the resumed run may have other values
            for key in ("weight_decay", "momentum"):
                if key in group:
                    group[key] = getattr(self._settings, key)
        if state.scaler:
            self._scaler.load_state_dict(dict(state.scaler))
        self._position = state.position
        self._history = list(state.history)
        self._sums = EpochSums(**state.epoch_sums)

    def run(self, callbacks: Callbacks) -> list[Mapping[str, Any]]:
        """Train to the last epoch.

        Returns:
            One record for each epoch of the run, also of those before a checkpoint.

        Raises:
            SightlineError: LOSS_NOT_FINITE, SAMPLE_FAILED, SAMPLES_LOST, OUT_OF_MEMORY or
                WORKER_LOST.
        """
        size = self._reader.size
        try:
            with BatchLoader(self._loader_threads, _AHEAD, size) as loader:
                while self._position.epoch < self._settings.epochs:
                    self._epoch(loader, callbacks)
        except (RuntimeError, ValueError) as error:
            raise_if_out_of_memory(error, "training")
            if _ONE_VALUE in str(error):
                raise WrongUseError(
                    "BATCH_TOO_SMALL",
                    "batch normalisation needs more than one value for each channel, and a worker "
                    "had one image. Change --batch-size, so that the last batch is larger, or use "
                    "a larger --image-size or fewer --workers.",
                ) from error
            if self._group.workers > 1 and is_lost(error):
                raise lost(error) from error
            raise
        return self._history

    def _epoch(self, loader: BatchLoader, callbacks: Callbacks) -> None:
        settings, group = self._settings, self._group
        epoch, first = self._position.epoch, self._position.batch
        clock = _Clock()
        order = epoch_order(len(self._train), settings.seed, epoch)
        whole = batches(order, settings.batch_size)[first:]
        mine = [share(batch, group.rank, group.workers) for batch in whole]
        # Every worker takes part in every step: one without a sample of its own repeats another's,
        # with weight 0.
        loaded = loader.load(
            self._train,
            [own if len(own) else batch[:1] for own, batch in zip(mine, whole, strict=True)],
            lambda content, out, row: self._reader.varied(content, out, epoch, row),
        )
        set_training(self._model, self._evaluated)
        pending: list[torch.Tensor] = []
        every = _CUDA_CHECK_STEPS if group.device.type == "cuda" else 1
        for rows, own, batch in zip(whole, mine, _timed(loaded, clock), strict=True):
            if not self._first_batch_seconds:
                self._first_batch_seconds = time.monotonic() - self._began
            pending.append(self._step(batch, len(rows), weight=float(len(own) > 0)))
            self._trained.add(own)
            self._position = Position(epoch, self._position.batch + 1, self._position.step + 1)
            self._sums.rows += len(rows)
            clock.images += len(rows)
            is_last = self._position.batch == self._batches
            if len(pending) >= every or is_last or self._is_checkpoint_batch():
                self._check(pending, callbacks)
            if group.is_first and clock.is_due(_REPORT_SECONDS):
                callbacks.progress(self._progress(clock))
            if self._is_checkpoint_batch() and not is_last:
                self._collect()
                self._require_finite()
                self._save(callbacks)
        clock.train_seconds = time.monotonic() - clock.began
        self._collect()
        self._require_all()
        self._require_finite()
        with self._autocast():
            measured = validate(
                self._model, self._validation, loader, self._reader, settings, group
            )
        record = self._record(clock, measured)
        self._history.append(record.as_dict())
        self._position = Position(epoch + 1, 0, self._position.step)
        self._sums = EpochSums()
        if group.is_first:
            callbacks.epoch_end(record)
        done = self._position.epoch
        if done % settings.checkpoint_every == 0 or done == settings.epochs:
            self._save(callbacks)

    def _step(self, batch: Batch, global_rows: int, weight: float) -> torch.Tensor:
        """Train on one batch. Return this worker's part of the global mean loss."""
        settings, group = self._settings, self._group
        # Dropout draws from this generator. So its numbers are a function of the position.
        torch.manual_seed(
            (settings.seed << 32) ^ (self._position.step * group.workers + group.rank)
        )
        set_rate(self._optimizer, settings.learning_rate * self._factor(self._position.step))
        self._optimizer.zero_grad(set_to_none=True)
        pixels = torch.from_numpy(batch.pixels).to(group.device)
        classes = torch.from_numpy(batch.classes).to(group.device)
        with self._autocast():
            scores = self._model(pixels)
        if not isinstance(scores, torch.Tensor):
            raise WrongUseError(
                "BAD_ARCHITECTURE",
                f"'{settings.architecture}' returns several outputs in training. Use an "
                "architecture with one output.",
            )
        loss = weight * batch_loss(scores, classes, settings, global_rows)
        # DistributedDataParallel divides the sum of the gradients by the number of workers.
        self._scaler.scale(loss * group.workers).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach()

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = _DTYPES.get(self._settings.precision)
        return torch.autocast(self._group.device.type, dtype) if dtype else nullcontext()

    def _check(self, pending: list[torch.Tensor], callbacks: Callbacks) -> None:
        """Add the losses of the last steps to the epoch's, over all workers.

        Raises:
            SightlineError: LOSS_NOT_FINITE.
        """
        losses = self._group.sum(torch.stack(pending)).tolist()
        size = self._settings.batch_size
        first = self._position.batch - len(pending)
        for at, loss in enumerate(losses, first):
            if not math.isfinite(loss):
                raise SightlineError(
                    "LOSS_NOT_FINITE",
                    f"the loss is {loss} in epoch {self._position.epoch + 1}, batch {at + 1}. No "
                    "checkpoint was written since. Continue from the last one with a lower "
                    "--learning-rate or with --precision fp32.",
                )
            self._sums.loss += loss * min(size, len(self._train) - at * size)
        if self._group.is_first:
            callbacks.steps(self._position.step - len(losses) + 1, losses)
        pending.clear()

    def _collect(self) -> None:
        """Add the samples that each worker has trained on to the epoch's sums."""
        own = torch.tensor(self._trained.values(), device=self._group.device)
        self._sums.add(*self._group.sum(own).tolist())
        self._trained = TrainedRows()

    def _require_all(self) -> None:
        """Raise an error unless every sample was trained on once in the epoch.

        Raises:
            SightlineError: SAMPLES_LOST.
        """
        rows = len(self._train)
        if not self._sums.has_each_once(rows):
            raise SightlineError(
                "SAMPLES_LOST",
                f"epoch {self._position.epoch + 1} trained on {self._sums.samples} samples, and "
                f"not on each of {rows} once. This is a fault of Sightline: report it with "
                "train.yaml.",
            )

    def _require_finite(self) -> None:
        """Raise an error if the last step has made a weight infinite or NaN.

        Raises:
            SightlineError: LOSS_NOT_FINITE.
        """
        if not all(bool(torch.isfinite(one).all()) for one in self.network.parameters()):
            raise SightlineError(
                "LOSS_NOT_FINITE",
                f"a weight is not finite after epoch {self._position.epoch + 1}, batch "
                f"{self._position.batch}. No checkpoint was written since. Continue from the last "
                "one with a lower --learning-rate or with --precision fp32.",
            )

    def _is_checkpoint_batch(self) -> bool:
        every = self._settings.checkpoint_batches
        return bool(every) and self._position.batch % every == 0

    def _record(self, clock: _Clock, measured: Validation | None) -> EpochRecord:
        return EpochRecord(
            epoch=self._position.epoch + 1,
            step=self._position.step,
            loss=self._sums.loss / max(self._sums.rows, 1),
            learning_rate=self._optimizer.param_groups[0]["lr"],
            validation_loss=measured.loss if measured else None,
            validation_top1=measured.top1 if measured else None,
            validation_top5=measured.top5 if measured else None,
            samples=self._sums.samples,
            images_per_second=clock.images / max(clock.train_seconds, 1e-9),
            wait_share=clock.waited / max(clock.train_seconds, 1e-9),
            first_batch_seconds=self._first_batch_seconds,
            seconds=time.monotonic() - clock.began,
            workers=self._group.workers,
        )

    def _progress(self, clock: _Clock) -> Progress:
        seconds = time.monotonic() - clock.began
        speed = clock.images / max(seconds, 1e-9)
        rows = len(self._train)
        left = (self._settings.epochs - self._position.epoch) * rows - self._sums.rows
        return Progress(
            epoch=self._position.epoch + 1,
            epochs=self._settings.epochs,
            batch=self._position.batch,
            batches=self._batches,
            loss=self._sums.loss / max(self._sums.rows, 1),
            images_per_second=speed,
            wait_share=clock.waited / max(seconds, 1e-9),
            seconds_left=left / max(speed, 1e-9),
        )

    def _save(self, callbacks: Callbacks) -> None:
        if not self._group.is_first:
            return
        state = TrainState(
            self._position,
            self._settings.as_dict(),
            self._index.labels,
            self._index.sha256,
            tuple(self._history),
            asdict(self._sums),
            self._scaler.state_dict() if self._settings.precision == "fp16" else {},
        )
        callbacks.checkpoint(state, self.network.state_dict(), self._optimizer.state_dict())


class _Clock:
    """Times of one epoch in this process."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.waited = 0.0
        self.train_seconds = 0.0
        self.images = 0
        self._reported = self.began

    def is_due(self, seconds: float) -> bool:
        now = time.monotonic()
        if now - self._reported < seconds:
            return False
        self._reported = now
        return True


def _timed(loaded: Iterator[Batch], clock: _Clock) -> Iterator[Batch]:
    """Yield the batches, and add the time that each took to arrive to `clock.waited`."""
    while True:
        began = time.monotonic()
        batch = next(loaded, None)
        clock.waited += time.monotonic() - began
        if batch is None:
            return
        yield batch
