"""Search of a classifier's head: the layer whose input is the pooled features."""

from __future__ import annotations

import torch

from sightline.backends.divided import Divided

# The network without its head, followed by the head, computes the same sums. Only rounding differs.
_ROUNDING = 1e-5


def find_head(
    network: torch.nn.Module, pixels: torch.Tensor, scores: torch.Tensor
) -> tuple[str, torch.Tensor] | None:
    """Return the name and the input of the last linear layer; None if there is no such layer.

    Such a layer is called once, takes one vector per image and returns the scores. If an Identity
    replaces it, the network returns that vector. SqueezeNet has no such layer, because it ends in
    a convolution and then pools. A network that averages two heads or ends in a softmax has none.

    Args:
        network: In evaluation mode; unchanged afterwards.
        pixels: (n, 3, height, width) float32, normalised.
        scores: The network's output for these pixels, (n, classes).

    Returns:
        A dotted name such as `classifier.1`, and the features, (n, length) float32.
    """
    calls = _linear_calls(network, pixels)
    once = {name: calls[name][0] for name in calls if len(calls[name]) == 1}
    for name, (given, gave) in reversed(once.items()):
        if gave.shape == scores.shape and torch.equal(gave, scores):
            return (name, given) if _divides(network, name, pixels, given, scores) else None
    return None


def _linear_calls(
    network: torch.nn.Module, pixels: torch.Tensor
) -> dict[str, list[tuple[torch.Tensor, torch.Tensor]]]:
    """Return input and output of every call of a linear layer with vectors, in call order."""
    calls: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
    hooks = []
    for name, module in network.named_modules():
        if name and isinstance(module, torch.nn.Linear):

            def note(
                _: torch.nn.Module, given: tuple[torch.Tensor], gave: torch.Tensor, name: str = name
            ) -> None:
                if given[0].ndim == 2:  # (n, length)
                    calls.setdefault(name, []).append((given[0], gave))

            hooks.append(module.register_forward_hook(note))
    try:
        network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return calls


def _divides(
    network: torch.nn.Module,
    name: str,
    pixels: torch.Tensor,
    features: torch.Tensor,
    scores: torch.Tensor,
) -> bool:
    """Whether the network without its head returns the features, and the head then the scores."""
    divided = Divided(network, name)
    try:
        again = divided(pixels)
    except (RuntimeError, ValueError, TypeError, AttributeError):
        return False  # a layer after the head requires the shape of the scores
    finally:
        divided.rejoin()
    return all(
        isinstance(one, torch.Tensor)
        and one.shape == other.shape
        and bool((one - other).abs().max() <= _ROUNDING * other.abs().max())
        for one, other in zip(again, (scores, features), strict=True)
    )
