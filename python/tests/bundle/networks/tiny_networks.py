"""Networks small enough to export in a test; asked for as `tiny_networks:two_layers`."""

import os

import torch


def two_layers(classes: int = 3, width: int = 4) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, width, 3, stride=2),
        torch.nn.BatchNorm2d(width),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(width, classes),
    )


def ending_in_softmax() -> torch.nn.Module:
    return torch.nn.Sequential(two_layers(), torch.nn.Softmax(dim=1))


def says_nothing(path: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    os.mkdir(path)  # noqa: PTH102


class Pair(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return pixels, pixels
