"""A classifier in two parts: the network up to its pooled features, and the layer that scores."""

from __future__ import annotations

import torch


class Divided(torch.nn.Module):
    """Gives the scores and what its last layer, the head, made them from.

    Where the head was, the network has an Identity, so that it gives the head's input.

    Args:
        network: Changed in place; `rejoin` undoes that.
        head: Dotted name of the layer within it.

    Raises:
        AttributeError: If there is no such layer.
    """

    def __init__(self, network: torch.nn.Module, head: str) -> None:
        super().__init__()
        self.name = head
        self.head = network.get_submodule(head)
        network.set_submodule(head, torch.nn.Identity())
        self.body = network

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, 3, height, width) float32 → scores (n, classes) and features (n, length)."""
        features: torch.Tensor = self.body(pixels)
        return self.head(features), features

    def rejoin(self) -> torch.nn.Module:
        """The network as it was, with its head."""
        self.body.set_submodule(self.name, self.head)
        return self.body
