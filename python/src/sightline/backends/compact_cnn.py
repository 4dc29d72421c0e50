"""A compact convolutional network: the architecture of the built-in bundle id_fraud."""

from __future__ import annotations

import torch
from torch import nn


def compact_cnn(classes: int, width: int = 16) -> nn.Module:
    """A small residual network that looks for local signs, each decisive wherever it is.

    The last class is the absence of any sign: its score is learned, but the same for all images.

    Args:
        classes: Number of classes, at least 2: kinds of signs, and one for none.
        width: Channels after the first halving, at least 1; later ones are multiples of it.

    Returns:
        A CompactCnn from (n, 3, height, width) float32 in -1..1 to (n, classes) float32 logits;
        height and width at least 32. About 0.32 million parameters at width 16.
    """
    return CompactCnn(classes, width)


class CompactCnn(nn.Module):
    """Four halvings, a residual block after each of the last two, a map of evidence, its peaks."""

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
        """(n, 3, height, width) float32 to (n, classes) float32 logits."""
        return self.decide(self.find_signs(images))

    def find_signs(self, images: torch.Tensor) -> torch.Tensor:
        """Evidence of each kind of sign: (n, classes - 1, height / 16, width / 16) logits."""
        signs: torch.Tensor = self.signs(self.body(images))
        return signs

    def decide(self, signs: torch.Tensor) -> torch.Tensor:
        """Logits, (n, classes): the strongest evidence of each kind, and the score of none."""
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
