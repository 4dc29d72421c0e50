"""One worker of a training run, in this process: alone, or in a task of Spark."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from sightline.engine.quiet_decoders import quiet_decoders
from sightline.errors import SightlineError
from sightline.train.checkpoint import (
    Checkpoint,
    TrainState,
    read_checkpoint,
    read_newest,
    require_same,
)
from sightline.train.checkpoint_writer import CheckpointWriter, require_space
from sightline.train.epoch_record import EpochRecord, Progress
from sightline.train.loop import Callbacks, TrainLoop
from sightline.train.network import count_parameters
from sightline.train.process_group import ProcessGroup
from sightline.train.run_fence import require_owner
from sightline.train.sample_index import SampleIndex
from sightline.train.samples import Samples
from sightline.train.shard_cache import ShardCache
from sightline.train.split_samples import TRAIN
from sightline.train.storage import Storage
from sightline.train.tensorboard_writer import TensorBoardWriter
from sightline.train.train_settings import TrainSettings
from sightline.transfer.remote_folder import StoreAccess

PROGRESS_FILE = "progress.json"
START_FILE = "start.safetensors"


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a worker needs to know. The jar sends it as JSON.

    Args:
        settings: `TrainSettings.as_dict`.
        samples: Folder of the samples, a path or a URI.
        checkpoints: Folder of the checkpoints, a path or a URI.
        start: Folder with the file `start.safetensors`; empty for random start weights.
        cache: Local folder for copies of remote shards.
        cache_bytes: Limit for those copies.
        threads: Threads of each worker.
        run: Folder of the run, a path or a URI.
        owner: The text of its owner file, see `require_owner`.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        access: The fields of `StoreAccess`, for URIs.
        tensorboard: Folder or URI of TensorBoard's files; empty for none.
    """

    settings: Mapping[str, Any]
    samples: str
    checkpoints: str
    start: str
    cache: str
    cache_bytes: int
    threads: int
    run: str
    owner: str
    device: str = "cpu"
    access: Mapping[str, Any] = field(default_factory=dict)
    tensorboard: str = ""

    @staticmethod
    def from_json(text: str) -> WorkerTask:
        """Read the JSON of `to_json`."""
        return WorkerTask(**json.loads(text))

    def to_json(self) -> str:
        """Return the task as JSON."""
        return json.dumps(asdict(self))


def run_worker(
    task: WorkerTask,
    group: ProcessGroup,
    epoch_end: Callable[[EpochRecord], None],
    progress: Callable[[Progress], None] | None = None,
) -> list[Mapping[str, Any]]:
    """Train from the newest checkpoint, or from the start if there is none, to the last epoch.

    The first worker writes the file `progress.json` beside the checkpoints, about once in two
    seconds, and the files of TensorBoard.

    Args:
        task: The task.
        group: The workers; every worker of the group calls this function.
        epoch_end: Called on the first worker after each epoch.
        progress: Called on the first worker about once in a second.

    Returns:
        One record for each epoch of the run.

    Raises:
        WrongUseError: CHECKPOINT_MISMATCH, NO_SAMPLES, MISSING_PACKAGE; errors of `TrainLoop`.
        SightlineError: DISK_FULL; errors of `TrainLoop.run`; CHECKPOINT_FAILED; SAMPLES_CORRUPT;
            RUN_TAKEN_OVER.
    """
    quiet_decoders()
    settings = TrainSettings.from_dict(task.settings)
    access = StoreAccess(**task.access)
    folder, samples = Storage(task.checkpoints, access), Storage(task.samples, access)
    index = SampleIndex.read(samples)
    cache = ShardCache(samples, Path(task.cache), task.cache_bytes)
    checkpoint = _agreed_checkpoint(folder, group)
    if checkpoint is not None:
        require_same(checkpoint.state, settings, index, checkpoint.name)
    # The other workers get the first one's weights when the loop begins.
    needs_start = checkpoint is None and task.start and group.is_first
    start = (
        safetensors.torch.load(Storage(task.start, access).read(START_FILE))
        if needs_start
        else None
    )
    loop = TrainLoop(
        settings, index, lambda part: Samples(index, part, cache), group, task.threads, start
    )
    if checkpoint is not None:
        loop.restore(checkpoint.state, checkpoint.model, checkpoint.optimizer)
    require_space(folder, count_parameters(loop.network)[1], settings.keep)
    run = Storage(task.run, access)
    writer = CheckpointWriter(folder, settings.keep, lambda: require_owner(run, task.owner))
    shown = _Shown(folder)
    curves = None
    if task.tensorboard and group.is_first:
        batches = math.ceil(index.rows(TRAIN) / settings.batch_size)
        place = Storage(task.tensorboard, access)
        curves = TensorBoardWriter(place, settings, batches, loop.position)

    def on_progress(state: Progress) -> None:
        shown.write(asdict(state), seconds=2)
        if curves is not None:
            curves.progress(state)
        if progress is not None:
            progress(state)

    def on_epoch(record: EpochRecord) -> None:
        shown.write({"record": record.as_dict()}, seconds=0)
        if curves is not None:
            curves.epoch(record)
        epoch_end(record)

    def on_checkpoint(
        state: TrainState, model: Mapping[str, torch.Tensor], optimizer: Mapping[str, Any]
    ) -> None:
        if curves is not None:
            curves.flush()
        writer.save(state, model, optimizer)

    try:
        on_steps = curves.steps if curves is not None else lambda *_: None
        history = loop.run(Callbacks(on_progress, on_steps, on_epoch, on_checkpoint))
        writer.wait()
    finally:
        with ExitStack() as closed:
            closed.callback(shown.close)
            closed.callback(writer.close)
            if curves is not None:
                closed.callback(curves.close)
    return history


def _agreed_checkpoint(folder: Storage, group: ProcessGroup) -> Checkpoint | None:
    """Return the checkpoint that the first worker finds. Each worker reads it once."""
    found: list[Checkpoint] = []

    def find() -> str:
        found.extend(filter(None, [read_newest(folder)]))
        return found[0].name if found else ""

    name = group.agree("checkpoint", find)
    if name and not found:
        return read_checkpoint(folder, name)
    return found[0] if found else None


class _Shown:
    """Writes the progress where the driver can read it."""

    def __init__(self, folder: Storage) -> None:
        self._folder = folder
        self._written = 0.0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sightline-progress")
        self._running: Future[None] | None = None

    def write(self, state: Mapping[str, Any], seconds: float) -> None:
        now = time.monotonic()
        is_busy = self._running is not None and not self._running.done()
        if now - self._written >= seconds and (not is_busy or not seconds):
            self._written = now
            self._running = self._pool.submit(self._write, json.dumps(state).encode())

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _write(self, content: bytes) -> None:
        # A progress file that cannot be written must not end the training.
        with suppress(OSError, SightlineError):
            self._folder.write(PROGRESS_FILE, content)
