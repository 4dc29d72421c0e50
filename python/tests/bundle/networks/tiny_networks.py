"""Networks small enough to export in a test; named as in `tiny_networks:two_layers`."""

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


def ending_in_a_convolution() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 3, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )


def mean_of_heads() -> torch.nn.Module:
    return MeanOfHeads()


class MeanOfHeads(torch.nn.Module):
    """The scores are the mean of two layers' outputs, as in a distilled transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        means = pixels.mean((2, 3))
        scores: torch.Tensor = (self.one(means) + self.other(means)) / 2
        return scores


def shapes_after() -> torch.nn.Module:
    return ShapesAfter()


class ShapesAfter(torch.nn.Module):
    """The last layer gives the scores, and the code after it uses their number."""

    def __init__(self) -> None:
        super().__init__()
        self.widen, self.head = torch.nn.Linear(3, 5), torch.nn.Linear(5, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.widen(pixels.mean((2, 3))))
        return scores.reshape(len(pixels), 3)
