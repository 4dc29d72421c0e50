"""Train in this process, or in those of torchrun: prepare, train, evaluate, make the model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sightline.errors import WrongUseError
from sightline.publish import check_output
from sightline.train.augment import PixelReader
from sightline.train.epoch_record import EpochRecord, Progress
from sightline.train.make_model import TrainedModel
from sightline.train.network import full_name, preprocessing_of
from sightline.train.prepare import SampleSource, list_samples, write_listed
from sightline.train.process_group import join_environment
from sightline.train.run_fence import require_owner
from sightline.train.run_lock import hold_run, is_lock_file
from sightline.train.run_steps import (
    CHECKPOINTS_FOLDER,
    RUN_NAMES,
    SAMPLES_FOLDER,
    SETTINGS_FILE,
    TENSORBOARD_FOLDER,
    check_run,
    finish_run,
    register,
    write_start,
)
from sightline.train.sample_index import INDEX_FILE, SampleIndex
from sightline.train.shard_cache import ShardCache
from sightline.train.storage import Storage
from sightline.train.train_settings import NO_WEIGHTS, TrainSettings
from sightline.train.train_worker import START_FILE, WorkerTask, run_worker


@dataclass(frozen=True, slots=True)
class TrainArguments:
    """Arguments of `sightline train`.

    Args:
        source: The images.
        settings: How the network is trained.
        output: The folder of the run.
        checkpoints: Folder or URI of the checkpoints; None for ``checkpoints`` in the output.
        cache: Folder for copies of remote samples.
        cache_bytes: Limit for those copies.
        threads: Threads of each worker.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        start: What happens if the output exists: ``new`` is an error, ``replace`` removes the old
            run, ``resume`` continues it.
        name: Name of the model.
        register: Folder of models that gets the model too; None for none.
        tensorboard: Folder or URI of TensorBoard's files; ``auto`` for the folder ``tensorboard``
            in the output; None for none.
        options: All options by name, for the file `train.yaml`.
    """

    source: SampleSource
    settings: TrainSettings
    output: Path
    checkpoints: str | None
    cache: Path
    cache_bytes: int
    threads: int
    device: str
    start: str
    name: str
    register: Path | None
    options: Mapping[str, Any]
    tensorboard: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TrainResult:
    """What a run gives.

    Args:
        index: The samples.
        history: One record for each epoch.
        model: The model; None in a worker that is not the first.
        seconds: Time of the stages.
    """

    index: SampleIndex
    history: list[Mapping[str, Any]]
    model: TrainedModel | None
    seconds: Mapping[str, float]


def run_training(
    arguments: TrainArguments,
    epoch_end: Callable[[EpochRecord], None],
    progress: Callable[[Progress], None],
) -> TrainResult:
    """Prepare the samples, train, evaluate and publish.

    Raises:
        WrongUseError: Before any image is read: OUTPUT_EXISTS, OUTPUT_NOT_OURS, NO_CHECKPOINT,
            RUN_IN_USE, UNSUPPORTED_PRECISION and errors of `check_run`; then those of
            `list_samples` and `write_listed`.
        SightlineError: Errors of `run_worker` and `finish_run`; RUN_TAKEN_OVER.
    """
    began = time.monotonic()
    settings = arguments.settings
    settings.require_device(arguments.device.partition(":")[0])
    output = Storage(arguments.output)
    checkpoints = Storage(arguments.checkpoints or arguments.output / CHECKPOINTS_FOLDER)
    tensorboard = _tensorboard(arguments)
    curves = Storage(tensorboard) if tensorboard else None
    group = join_environment(torch.device(arguments.device))
    seconds: dict[str, float] = {}
    tensors: dict[str, torch.Tensor] | None = None
    held, owner = ExitStack(), ""
    try:
        if group.is_first:
            resumed = arguments.start == "resume"
            _check_output(arguments)
            owner = held.enter_context(hold_run(arguments.output))
            settings, tensors = check_run(
                settings, arguments.name, output, checkpoints, curves, resumed=resumed
            )
        settings = replace(settings, architecture=full_name(settings.architecture))
        group.agree("prepared", lambda: _prepare(arguments, settings, tensors))
        seconds["prepare"] = time.monotonic() - began
        task = WorkerTask(
            settings.as_dict(),
            (output / SAMPLES_FOLDER).root,
            checkpoints.root,
            "" if settings.weights == NO_WEIGHTS else output.root,
            str(arguments.cache),
            arguments.cache_bytes,
            arguments.threads,
            output.root,
            owner,
            arguments.device,
            tensorboard=tensorboard,
        )
        history = run_worker(task, group, epoch_end, progress)
        seconds["train"] = time.monotonic() - began - seconds["prepare"]
        index = SampleIndex.read(output / SAMPLES_FOLDER)
        model = None
        if group.is_first:
            require_owner(output, owner)
            cache = ShardCache(output / SAMPLES_FOLDER, arguments.cache, arguments.cache_bytes)
            model = finish_run(
                arguments.name, settings, output, checkpoints, cache, arguments.threads, history
            )
            if arguments.register is not None:
                register(Path(model.bundle.path), arguments.register, arguments.name)
    finally:
        held.close()
        group.close()
    seconds["model"] = time.monotonic() - began - sum(seconds.values())
    return TrainResult(index, history, model, seconds)


def _tensorboard(arguments: TrainArguments) -> str:
    if arguments.tensorboard == "auto":
        return str(arguments.output.absolute() / TENSORBOARD_FOLDER)
    return arguments.tensorboard or ""


def _check_output(arguments: TrainArguments) -> None:
    output = arguments.output
    if arguments.start == "new":
        check_output(output, [arguments.source.images.images], overwrite=False)
        return
    is_ours = (output / SETTINGS_FILE).is_file()
    if arguments.start == "resume":
        if not is_ours:
            raise WrongUseError("NO_CHECKPOINT", f"{output} is no run of train: nothing to resume.")
        return
    check_output(output, [arguments.source.images.images], overwrite=True)
    found = {one.name for one in output.iterdir()} if output.exists() else set()
    names = {name for name in found if not is_lock_file(name)}
    # A run that was killed before it had saved its options has left no more than these.
    if not names <= (RUN_NAMES if is_ours else {START_FILE}):
        raise WrongUseError(
            "OUTPUT_NOT_OURS",
            f"'{output}' has files that train does not write, so --overwrite does not delete it. "
            "Choose another --output, or remove it.",
        )


def _open_output(arguments: TrainArguments, tensors: dict[str, torch.Tensor] | None) -> None:
    """Remove the run that is replaced, and save the start weights, then the options."""
    import yaml

    if arguments.start == "replace":
        for one in arguments.output.iterdir():
            if one.name in RUN_NAMES:  # and not what a user has put there since the check
                shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
    write_start(Storage(arguments.output), tensors)
    text = yaml.safe_dump(dict(arguments.options), sort_keys=False, allow_unicode=True)
    Storage(arguments.output).write(SETTINGS_FILE, text.encode())


def _prepare(
    arguments: TrainArguments, settings: TrainSettings, tensors: dict[str, torch.Tensor] | None
) -> str:
    """Write the samples, unless the run that is resumed has. Return their identity."""
    folder = Storage(arguments.output / SAMPLES_FOLDER)
    if arguments.start == "resume":
        _open_output(arguments, None)
        if folder.exists(INDEX_FILE):
            return SampleIndex.read(folder).sha256
    reader = PixelReader(preprocessing_of(settings), "none", 0)
    source = arguments.source
    images = list_samples(source, settings.seed)
    if arguments.start != "resume":
        _open_output(arguments, tensors)
    return write_listed(images, source, reader, folder, arguments.threads).sha256
