"""Measure the network on the validation part, on all workers together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sightline.backends.backend import UInt8Array
from sightline.row_error import RowError
from sightline.train.augment import PixelReader
from sightline.train.batch_loader import BatchLoader
from sightline.train.epoch_order import batches, share
from sightline.train.process_group import ProcessGroup
from sightline.train.samples import Samples
from sightline.train.train_settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Validation:
    """Measures of the validation part.

    Args:
        loss: Mean cross-entropy.
        top1: Share of right samples, 0..1.
        top5: Share of samples whose class is among the five best, 0..1.
    """

    loss: float
    top1: float
    top5: float


def validate(
    model: torch.nn.Module,
    samples: Samples,
    loader: BatchLoader,
    reader: PixelReader,
    settings: TrainSettings,
    group: ProcessGroup,
) -> Validation | None:
    """Return the measures; None if the part is empty. Every worker calls this function.

    Args:
        model: From (n, height, width, 3) uint8 to (n, classes); in evaluation mode afterwards.
        samples: The validation part.
        loader: Decodes ahead.
        reader: Gives the pixels that serving sees.
        settings: For the batch size.
        group: The workers, which share the samples.
    """
    sums = torch.zeros(4, dtype=torch.float64, device=group.device)
    rows = share(np.arange(len(samples), dtype=np.int64), group.rank, group.workers)
    model.eval()
    # Not through DistributedDataParallel: workers may have different numbers of batches.
    network = getattr(model, "module", model)

    def read(content: memoryview, out: UInt8Array, _: int) -> RowError | None:
        return reader.plain(content, out)

    with torch.inference_mode():
        for batch in loader.load(samples, batches(rows, settings.batch_size), read):
            scores = network(torch.from_numpy(batch.pixels).to(group.device)).float()
            classes = torch.from_numpy(batch.classes).to(group.device)
            best = scores.topk(min(5, scores.shape[1])).indices == classes[:, None]
            loss = torch.nn.functional.cross_entropy(scores, classes, reduction="sum")
            count = torch.tensor(len(classes), device=group.device)
            sums += torch.stack([loss, best[:, 0].sum(), best.sum(), count]).double()
    total, right, in_five, count_ = group.sum(sums).tolist()
    return Validation(total / count_, right / count_, in_five / count_) if count_ else None
