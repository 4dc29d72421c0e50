"""A compact convolutional network: the architecture of the built-in bundle id_fraud."""

from __future__ import annotations

import torch
from torch import nn


def compact_cnn(classes: int, width: int = 16) -> nn.Module:
    """A small residual network for signs of forgery: local, and decisive wherever they are.

    Four halvings of the picture, one residual block at each of the last three, then the mean and
    the maximum over the picture side by side: one odd patch must be able to decide.

    Args:
        classes: Number of classes, at least 2.
        width: Channels after the first halving, at least 1; later ones are multiples of it.

    Returns:
        A module from (n, 3, height, width) float32 in -1..1 to (n, classes) float32 logits;
        height and width at least 32. About 0.34 million parameters at width 16.
    """
    return _CompactCnn(classes, width)


class _CompactCnn(nn.Module):
    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _halve(3, width),
            _halve(width, 2 * width),
            _Residual(2 * width),
            _halve(2 * width, 4 * width),
            _Residual(4 * width),
            _halve(4 * width, 6 * width),
            _Residual(6 * width),
        )
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(12 * width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.body(images)  # (n, 6 * width, height / 16, width / 16)
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1)
        logits: torch.Tensor = self.head(self.dropout(pooled))
        return logits


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(images + self.change(images))


def _halve(before: int, after: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
