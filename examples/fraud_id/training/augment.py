"""Another photograph of the same card: changes that leave every forgery visible."""

from __future__ import annotations

import torch
from torch.nn import functional


def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Vary light, colour, contrast, place and noise, each image on its own.

    Never mirrored, turned or rescaled by much: reversed or resized letters are a forgery's sign.

    Args:
        images: (n, 3, height, width) float32, -1..1.
        generator: Decides everything.

    Returns:
        (n, 3, height, width) float32, about -1..1.
    """
    count, _, height, width = images.shape

    def uniform(low: float, high: float, channels: int = 1) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)

    grid = functional.affine_grid(_moves(count, generator), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    mean = moved.mean((1, 2, 3), keepdim=True)
    moved = (moved - mean) * uniform(0.8, 1.2) + mean + uniform(-0.15, 0.15)
    moved = moved * uniform(0.94, 1.06, channels=3)
    noise = torch.randn(count, 3, height, width, generator=generator)
    return moved + noise * uniform(0.0, 0.03)


def _moves(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 2, 3) affine maps: shifts up to 3 %, stretches up to 3 %, shears up to 2 %."""
    moves = torch.eye(2, 3).repeat(count, 1, 1)
    spread = torch.tensor([[0.03, 0.02, 0.06], [0.02, 0.03, 0.06]])
    return moves + spread * (2 * torch.rand(count, 2, 3, generator=generator) - 1)
