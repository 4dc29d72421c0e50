"""Optimizer, learning rates and loss of a training run."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from sightline.train.train_settings import TrainSettings

_STEP_AT = (0.5, 0.75)
_STEP_FACTOR = 0.1


def make_optimizer(network: torch.nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Return the optimizer of the parameters that are not frozen."""
    parameters = [one for one in network.parameters() if one.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, rate, settings.momentum, weight_decay=decay)
    kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, rate, weight_decay=decay)


def rate_factor(settings: TrainSettings, steps_of_epoch: int) -> Callable[[int], float]:
    """Return the function from the number of a step, from 0, to a factor of the learning rate.

    It is a function of the step alone, so a resumed run needs no other state.
    """
    total = settings.epochs * steps_of_epoch
    warmup = settings.warmup_epochs * steps_of_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(total - warmup, 1)
        if settings.scheduler == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        if settings.scheduler == "step":
            return float(_STEP_FACTOR ** sum(done >= at for at in _STEP_AT))
        return 1.0

    return factor


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def batch_loss(
    scores: torch.Tensor, classes: torch.Tensor, settings: TrainSettings, global_rows: int
) -> torch.Tensor:
    """Return this worker's part of the mean cross-entropy of a global batch.

    Args:
        scores: (n, classes).
        classes: (n,) int64.
        settings: For the label smoothing.
        global_rows: Rows of the global batch.

    Returns:
        The sum over this worker's rows, divided by `global_rows`; the parts of all workers add up
        to the mean.
    """
    total = torch.nn.functional.cross_entropy(
        scores.float(), classes, label_smoothing=settings.label_smoothing, reduction="sum"
    )
    return total / global_rows
