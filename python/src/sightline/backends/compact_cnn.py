"""A compact convolutional network: the architecture of the built-in bundle id_fraud."""

from __future__ import annotations

import torch
from torch import nn


def compact_cnn(classes: int, width: int = 16) -> nn.Module:
    """Return a small residual network that finds local signs at any position.

    The last class means that there is no sign. Its score is learned, and is equal for all images.

    Args:
        classes: Number of classes, at least 2: the kinds of signs, and one class without signs.
        width: Channels after the first halving, at least 1. Later layers have multiples of it.

    Returns:
        A CompactCnn from (n, 3, height, width) float32 in -1..1 to (n, classes) float32 logits.
        Height and width must be at least 32. It has 0.32 million parameters at width 16.
    """
    return CompactCnn(classes, width)


class CompactCnn(nn.Module):
    """Four halvings, a residual block after each of the last two, and the maximum of the signs."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _halve(3, width),
            _halve(width, 2 * width),
            _halve(2 * width, 4 * width),
            _Residual(4 * width),
            _halve(4 * width, 6 * width),
            _Residual(6 * width),
        )
        self.signs = nn.Conv2d(6 * width, classes - 1, 1)
        self.none = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Convert (n, 3, height, width) float32 to (n, classes) float32 logits."""
        return self.decide(self.find_signs(images))

    def find_signs(self, images: torch.Tensor) -> torch.Tensor:
        """Return a logit per kind of sign and cell: (n, classes - 1, height / 16, width / 16)."""
        signs: torch.Tensor = self.signs(self.body(images))
        return signs

    def decide(self, signs: torch.Tensor) -> torch.Tensor:
        """Return (n, classes) logits: the maximum of each kind of sign, and the last class."""
        none = self.none.expand(signs.shape[0], 1)
        return torch.cat([signs.amax((2, 3)), none], dim=1)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(images + self.change(images))


def _halve(before: int, after: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
