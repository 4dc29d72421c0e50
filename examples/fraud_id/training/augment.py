"""Augmentation: random changes of a photograph that keep every forgery visible."""

from __future__ import annotations

import torch
from torch.nn import functional


def augment(
    images: torch.Tensor, signs: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Vary light, colour, contrast and position of each image. Its signs move with it.

    Images are not mirrored, rotated or rescaled by much, because such letters are signs of forgery.

    Args:
        images: (n, 3, height, width) float32, -1..1.
        signs: (n, kinds, rows, columns) float32, forged share of each cell.
        generator: Source of all random numbers.

    Returns:
        Images and signs with the same shapes; images are about -1..1.
    """
    count = len(images)

    def uniform(low: float, high: float, channels: int = 1) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)

    moves = _moves(count, generator)
    moved = _move(images, moves)
    mean = moved.mean((1, 2, 3), keepdim=True)
    moved = (moved - mean) * uniform(0.8, 1.2) + mean + uniform(-0.15, 0.15)
    return moved * uniform(0.94, 1.06, channels=3), _move(signs, moves)


def _move(planes: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    grid = functional.affine_grid(moves, list(planes.shape), align_corners=False)
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def _moves(count: int, generator: torch.Generator) -> torch.Tensor:
    """Return (count, 2, 3) affine maps: shift and stretch up to 3 %, shear up to 2 %."""
    moves = torch.eye(2, 3).repeat(count, 1, 1)
    spread = torch.tensor([[0.03, 0.02, 0.06], [0.02, 0.03, 0.06]])
    return moves + spread * (2 * torch.rand(count, 2, 3, generator=generator) - 1)
