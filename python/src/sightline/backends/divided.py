"""Splits a classifier into the network up to its pooled features and its last layer, the head."""

from __future__ import annotations

import torch


class Divided(torch.nn.Module):
    """Returns the scores and the features, which are the input of the head.

    An Identity replaces the head in the network, so that the network returns the head's input.

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
        """Convert (n, 3, height, width) float32 to (n, classes) scores and (n, length) features."""
        features: torch.Tensor = self.body(pixels)
        return self.head(features), features

    def rejoin(self) -> torch.nn.Module:
        """Put the head back and return the original network."""
        self.body.set_submodule(self.name, self.head)
        return self.body
