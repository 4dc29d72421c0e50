"""The training loop: AdamW on one cycle of the learning rate, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sightline.backends.compact_cnn import CompactCnn
from torch.nn import functional
from tqdm import tqdm

from training.augment import augment

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
_BATCH = 32
_FORGED_CELL_WEIGHT = 5.0  # few cells are forged
_CELLS_SHARE = 5.0  # weight of the loss of cells relative to the loss of classes


@dataclass(frozen=True)
class Plan:
    """Settings of a training: epochs, highest learning rate, seed, and bfloat16 or float32."""

    epochs: int
    learning_rate: float
    seed: int
    precision: torch.dtype


@dataclass(frozen=True)
class Material:
    """The training data.

    Attributes:
        images: (n, height, width, 3) uint8.
        labels: (n,) int64 class ids.
        signs: (n, classes - 1, height / 16, width / 16) float32, 0..1: forged share of each cell.
    """

    images: Images
    labels: Labels
    signs: npt.NDArray[np.float32]


def fit(model: CompactCnn, material: Material, plan: Plan) -> Iterator[float]:
    """Train the model in place.

    Args:
        model: A network whose input is (n, 3, height, width) float32 in -1..1.
        material: The training data.
        plan: The settings.

    Yields:
        Each epoch's mean loss, when the epoch ends.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    steps = len(material.images) // _BATCH
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.learning_rate, epochs=plan.epochs, steps_per_epoch=steps, pct_start=0.25
    )
    for epoch in range(plan.epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(material.images), generator=generator)[: steps * _BATCH]
        progress = tqdm(
            torch.split(order, _BATCH), desc=f"epoch {epoch + 1}", mininterval=5, leave=False
        )
        for rows in progress:
            chosen = rows.numpy()
            batch, where = augment(
                to_input(material.images[chosen]),
                torch.from_numpy(material.signs[chosen]),
                generator,
            )
            batch = batch.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", plan.precision, plan.precision != torch.float32):
                found = model.find_signs(batch)
            loss = _loss(model, found.float(), where, torch.from_numpy(material.labels[chosen]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            total += float(loss)
        yield total / steps


def _loss(
    model: CompactCnn, found: torch.Tensor, where: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Return the loss of the classes plus the loss of the forged regions.

    With classes alone the network learns nothing for many epochs, because one changed word is a
    weak signal. With the regions of the forgeries it finds them from the first epoch.
    """
    cells = functional.binary_cross_entropy_with_logits(
        found, where, pos_weight=torch.tensor(_FORGED_CELL_WEIGHT)
    )
    return cells * _CELLS_SHARE + functional.cross_entropy(
        model.decide(found), labels, label_smoothing=0.02
    )


def predict(model: torch.nn.Module, images: Images) -> Labels:
    """Return the most likely class id of each image, (n,) int64, computed in float32."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(to_input(images[at : at + _BATCH])).argmax(1).numpy()
            for at in range(0, len(images), _BATCH)
        ]
    return np.concatenate(parts)


def to_input(images: Images) -> torch.Tensor:
    """Convert (n, height, width, 3) uint8 to (n, 3, height, width) float32 in -1..1."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1
