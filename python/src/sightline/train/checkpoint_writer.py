"""Writes checkpoints while the training goes on, and keeps the best and the newest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch

from sightline.errors import SightlineError
from sightline.train.checkpoint import (
    TrainState,
    checkpoint_names,
    prune,
    read_state,
    save_checkpoint,
)
from sightline.train.storage import Storage

_BYTES_PER_PARAMETER = 12  # weights, and two moments of Adam, in fp32


class CheckpointWriter:
    """Saves copies of the state in one thread, in order.

    Args:
        folder: The folder of the checkpoints.
        keep: Newest checkpoints that are kept, beside the best.
        check: Called before each checkpoint is written; its error ends the training.
    """

    def __init__(self, folder: Storage, keep: int, check: Callable[[], None]) -> None:
        self._folder = folder
        self._keep = keep
        self._check = check
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sightline-checkpoint")
        self._running: Future[None] | None = None

    def save(
        self, state: TrainState, model: Mapping[str, torch.Tensor], optimizer: Mapping[str, Any]
    ) -> None:
        """Copy the tensors and begin to write them. Waits for the checkpoint before it.

        Raises:
            SightlineError: CHECKPOINT_FAILED if the checkpoint before it could not be written; the
                error of its check.
        """
        self.wait()
        copied = {name: _copy(value) for name, value in model.items()}
        moments = {
            "state": {
                number: {key: _copy(value) for key, value in values.items()}
                for number, values in optimizer["state"].items()
            },
            "param_groups": [dict(group) for group in optimizer["param_groups"]],
        }
        self._running = self._pool.submit(self._save, state, copied, moments)

    def wait(self) -> None:
        """Wait until the last checkpoint is written.

        Raises:
            SightlineError: CHECKPOINT_FAILED; the error of its check.
        """
        running, self._running = self._running, None
        if running is None:
            return
        try:
            running.result()
        except OSError as error:
            raise SightlineError(
                "CHECKPOINT_FAILED",
                f"{self._folder.root} cannot be written: {error.strerror or error}. Earlier "
                "checkpoints are complete: free some space or restore the access, and continue "
                "with --resume.",
            ) from error

    def close(self) -> None:
        """End the thread after the checkpoint that it writes."""
        self._pool.shutdown(wait=True)

    def _save(
        self, state: TrainState, model: Mapping[str, torch.Tensor], optimizer: Mapping[str, Any]
    ) -> None:
        self._check()
        save_checkpoint(self._folder, state, model, optimizer)
        prune(self._folder, self._keep, best_checkpoint(self._folder))


def best_checkpoint(folder: Storage) -> str:
    """Return the name of the best checkpoint at the end of an epoch; empty if there is none.

    The best has the highest top-1 of the validation part, then the lowest validation loss; without
    a validation part the lowest training loss. The older of two equal ones is taken.
    """
    best, name_of_best = (0.0, 0.0), ""
    for name in checkpoint_names(folder):
        try:
            state = read_state(folder, name)
        except SightlineError as error:
            if error.code != "CHECKPOINT_CORRUPT":
                raise
            continue  # it was reported when the run began
        if state["position"]["batch"] or not state["history"]:
            continue
        last = state["history"][-1]
        top1, loss = last["validation_top1"], last["validation_loss"]
        rank = (-last["loss"], 0.0) if top1 is None else (top1, -loss)
        if not name_of_best or rank > best:
            best, name_of_best = rank, name
    return name_of_best


def require_space(folder: Storage, parameters: int, keep: int) -> None:
    """Raise an error before the training if a local disk has no space for the checkpoints.

    Args:
        folder: The folder of the checkpoints; nothing is checked for a remote one.
        parameters: Number of parameters of the network.
        keep: Newest checkpoints that are kept. The best, and one that is written, come on top.

    Raises:
        SightlineError: DISK_FULL.
    """
    if not folder.is_local:
        return
    path = folder.path()
    while not path.exists():
        path = path.parent
    needed = parameters * _BYTES_PER_PARAMETER * (keep + 2)
    free = shutil.disk_usage(path).free
    if free < needed:
        raise SightlineError(
            "DISK_FULL",
            f"{keep + 2} checkpoints of {parameters} parameters need {needed / 2**30:.2f} GiB, and "
            f"{folder.root} has {free / 2**30:.2f} GiB left. Free some space, lower --keep, or "
            "give another folder: --checkpoints.",
        )


def _copy(value: Any) -> Any:  # noqa: ANN401 - an optimizer's state also has plain values
    return value.detach().to("cpu", copy=True) if isinstance(value, torch.Tensor) else value
