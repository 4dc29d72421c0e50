"""Checkpoints: safetensors and JSON. A checkpoint exists when its `state.json` does."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from sightline.errors import SightlineError, WrongUseError
from sightline.train.sample_index import SampleIndex
from sightline.train.storage import Storage, sha256_of
from sightline.train.train_settings import TrainSettings

STATE_FILE, MODEL_FILE, OPTIMIZER_FILE = "state.json", "model.safetensors", "optimizer.safetensors"
_FORMAT = 1
_PREFIX = "step-"


@dataclass(frozen=True, slots=True)
class Position:
    """What has been trained: the next batch is `batch` of `epoch`.

    The learning rate, the order of the samples, their augmentation and the random numbers of
    dropout are functions of the seed and of this position. So it is the state of all of them.

    Args:
        epoch: From 0.
        batch: From 0, within the epoch.
        step: Batches since the start of the run.
    """

    epoch: int
    batch: int
    step: int


@dataclass(frozen=True, slots=True)
class TrainState:
    """The part of a checkpoint that is JSON.

    Args:
        position: What has been trained.
        settings: `TrainSettings.as_dict`.
        labels: Label of each class.
        samples: `SampleIndex.sha256`.
        history: One record for each epoch that has ended.
        epoch_sums: Sums of the epoch that has begun: see `loop`.
        scaler: State of the loss scaling of fp16; empty for others.
    """

    position: Position
    settings: Mapping[str, Any]
    labels: tuple[str, ...]
    samples: str
    history: tuple[Mapping[str, Any], ...]
    epoch_sums: Mapping[str, Any] = field(default_factory=dict)
    scaler: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A checkpoint that was read and checked.

    Args:
        name: Name of its folder.
        state: The JSON part.
        model: State dict of the network.
        optimizer: State dict of the optimizer, as torch has it.
    """

    name: str
    state: TrainState
    model: dict[str, torch.Tensor]
    optimizer: dict[str, Any]


def save_checkpoint(
    folder: Storage,
    state: TrainState,
    model: Mapping[str, torch.Tensor],
    optimizer: Mapping[str, Any],
) -> str:
    """Write a checkpoint, whose `state.json` is written last. Return its name.

    Raises:
        OSError: If the storage cannot be written. Earlier checkpoints are as they were.
    """
    name = f"{_PREFIX}{state.position.step:08d}"
    target = folder / name
    tensors, plain = _flatten(optimizer)
    hashes = {}
    with tempfile.TemporaryDirectory(prefix="sightline-checkpoint-") as scratch:
        for file, content in ((MODEL_FILE, dict(model)), (OPTIMIZER_FILE, tensors)):
            local = Path(scratch, file)
            safetensors.torch.save_file(
                {key: value.detach().cpu().contiguous() for key, value in content.items()}, local
            )
            hashes[file] = sha256_of(local)
            target.store(local, file)
    record = {
        "format": _FORMAT,
        "position": _fields(state.position),
        "settings": dict(state.settings),
        "labels": list(state.labels),
        "samples": state.samples,
        "history": [dict(one) for one in state.history],
        "epoch_sums": dict(state.epoch_sums),
        "scaler": dict(state.scaler),
        "optimizer": plain,
        "files": hashes,
    }
    target.write(STATE_FILE, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    return name


def checkpoint_names(folder: Storage) -> list[str]:
    """Return the names of the complete checkpoints, the oldest first."""
    names = [name for name in folder.names() if name.startswith(_PREFIX)]
    return [name for name in names if (folder / name).exists(STATE_FILE)]


def read_newest(folder: Storage) -> Checkpoint | None:
    """Read the newest checkpoint whose files have their hashes; None if there is none.

    A damaged one is reported on stderr and skipped.

    Raises:
        SightlineError: CHECKPOINT_CORRUPT if all are damaged; an error of the store.
    """
    damaged: SightlineError | None = None
    for name in reversed(checkpoint_names(folder)):
        try:
            return read_checkpoint(folder, name)
        except SightlineError as error:
            if error.code != "CHECKPOINT_CORRUPT":
                raise
            sys.stderr.write(f"sightline: {error} An older checkpoint is used.\n")
            damaged = damaged or error
    if damaged is not None:
        raise damaged
    return None


def read_state(folder: Storage, name: str) -> dict[str, Any]:
    """Return the JSON of a checkpoint.

    Raises:
        SightlineError: CHECKPOINT_CORRUPT.
    """
    try:
        record: dict[str, Any] = json.loads((folder / name).read(STATE_FILE))
    except (FileNotFoundError, ValueError) as error:
        raise _corrupt(folder, name, f"{STATE_FILE} cannot be read: {error}") from error
    if record.get("format") != _FORMAT:
        raise _corrupt(folder, name, f"its format is {record.get('format')}, not {_FORMAT}")
    return record


def read_checkpoint(folder: Storage, name: str) -> Checkpoint:
    """Read a checkpoint on the CPU, and check its hashes.

    Raises:
        SightlineError: CHECKPOINT_CORRUPT.
    """
    record = read_state(folder, name)
    found = {}
    with tempfile.TemporaryDirectory(prefix="sightline-checkpoint-") as scratch:
        for file, sha256 in record["files"].items():
            local = Path(scratch, file)
            try:
                (folder / name).fetch(file, local)
            except FileNotFoundError as error:
                raise _corrupt(folder, name, f"{file} is missing") from error
            if sha256_of(local) != sha256:
                raise _corrupt(folder, name, f"{file} has another sha256 than {STATE_FILE} states")
            found[file] = safetensors.torch.load(local.read_bytes())
    state = TrainState(
        Position(**record["position"]),
        record["settings"],
        tuple(record["labels"]),
        record["samples"],
        tuple(record["history"]),
        record["epoch_sums"],
        record["scaler"],
    )
    optimizer = _unflatten(found[OPTIMIZER_FILE], record["optimizer"])
    return Checkpoint(name, state, found[MODEL_FILE], optimizer)


def prune(folder: Storage, keep: int, best: str) -> None:
    """Remove checkpoints except the newest `keep` and the best, and what killed runs have left."""
    complete = checkpoint_names(folder)
    for name in complete[:-keep]:
        if name != best:
            (folder / name).remove(STATE_FILE)  # first, so that it is never half a checkpoint
            folder.remove(name)
    for name in folder.names():
        if name.startswith(_PREFIX) and name not in complete and name < complete[-1]:
            folder.remove(name)


# A checkpoint's position has no meaning with other values of these.
_FIXED = (
    "architecture",
    "arguments",
    "mean",
    "std",
    "image_size",
    "batch_size",
    "seed",
    "optimizer",
    "freeze",
)


def require_same(state: TrainState, settings: TrainSettings, index: SampleIndex, name: str) -> None:
    """Raise an error if a checkpoint is of another network, or of another order of samples.

    Raises:
        WrongUseError: CHECKPOINT_MISMATCH.
    """
    for key in _FIXED:
        before, now = state.settings[key], json.loads(json.dumps(getattr(settings, key)))
        if before != now:
            option = "--" + key.replace("_", "-")
            raise WrongUseError(
                "CHECKPOINT_MISMATCH",
                f"{name} was trained with {option} {before}, and {option} is {now}. Resume with "
                f"{before}, or start a new run in another --output.",
            )
    if state.labels != index.labels:
        raise WrongUseError(
            "CHECKPOINT_MISMATCH",
            f"{name} has {len(state.labels)} classes ({', '.join(state.labels[:3])}, …), and the "
            f"samples have {len(index.labels)} ({', '.join(index.labels[:3])}, …). Use the same "
            "images, or start a new run in another --output.",
        )
    if state.samples != index.sha256:
        raise WrongUseError(
            "CHECKPOINT_MISMATCH",
            f"{name} was trained on the samples {state.samples[:12]}, and the run has "
            f"{index.sha256[:12]}. Start a new run in another --output.",
        )


def _flatten(optimizer: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Divide an optimizer's state dict into tensors, named ``0.exp_avg``, and JSON values."""
    tensors: dict[str, torch.Tensor] = {}
    plain: dict[str, Any] = {"groups": optimizer["param_groups"], "state": {}}
    for number, values in optimizer["state"].items():
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{number}.{key}"] = value
            else:
                plain["state"].setdefault(str(number), {})[key] = value
    return tensors, plain


def _unflatten(tensors: Mapping[str, torch.Tensor], plain: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = value
    for number, values in plain["state"].items():
        state.setdefault(int(number), {}).update(values)
    return {"state": state, "param_groups": plain["groups"]}


def _fields(position: Position) -> dict[str, int]:
    return {"epoch": position.epoch, "batch": position.batch, "step": position.step}


def _corrupt(folder: Storage, name: str, reason: str) -> SightlineError:
    return SightlineError("CHECKPOINT_CORRUPT", f"{folder.root}/{name}: {reason}.")
