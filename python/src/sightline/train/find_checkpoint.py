"""Find a checkpoint by a path that a user gives, and write it as PyTorch's users have it."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from sightline.errors import WrongUseError
from sightline.train.checkpoint import STATE_FILE, Checkpoint, read_checkpoint, read_newest
from sightline.train.checkpoint_writer import best_checkpoint
from sightline.train.storage import Storage

_IN_RUN = "checkpoints"


def find_checkpoint(place: Storage) -> Checkpoint:
    """Read a checkpoint, and check its hashes.

    Args:
        place: A checkpoint; or a run or a folder of checkpoints, of which the best is taken, as for
            the model of the run. Without a checkpoint at the end of an epoch it is the newest.

    Raises:
        WrongUseError: NO_CHECKPOINT.
        SightlineError: CHECKPOINT_CORRUPT; an error of the store.
    """
    if place.exists(STATE_FILE):
        above, _, name = place.root.rpartition("/")
        return read_checkpoint(place.beside(above), name)
    for folder in (place / _IN_RUN, place):
        name = best_checkpoint(folder)
        found = read_checkpoint(folder, name) if name else read_newest(folder)
        if found is not None:
            return found
    raise WrongUseError(
        "NO_CHECKPOINT",
        f"{place.root} has no checkpoint of train. If the run had --checkpoints, give that folder.",
    )


def save_state_dict(checkpoint: Checkpoint, file: Path) -> None:
    """Write the network's tensors as `torch.load(weights_only=True)` reads them.

    Args:
        checkpoint: Its `model` becomes the file, sorted by name, and nothing else.
        file: A .pth file, which appears complete or not at all.

    Raises:
        WrongUseError: OUTPUT_NOT_WRITABLE.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            # safetensors returns them in no order.
            torch.save(dict(sorted(checkpoint.model.items())), stream)
        part.replace(file)
    except OSError as error:
        raise WrongUseError("OUTPUT_NOT_WRITABLE", f"'{file}': {error.strerror}.") from error
    finally:
        if part.exists():
            part.unlink()
