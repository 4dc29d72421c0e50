"""The number of classes of trained weights, read from the shapes of their tensors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import torch

from sightline.backends.architecture import find_maker
from sightline.errors import WrongUseError

ARGUMENT = "num_classes"


def with_class_count(
    architecture: str,
    arguments: Mapping[str, object],
    wanted: Mapping[str, torch.Tensor],
    weights: Mapping[str, torch.Tensor],
) -> dict[str, object]:
    """Add `num_classes` to the arguments if the weights were trained for another number of classes.

    This applies if the architecture, made with the given arguments, differs from the weights only
    in the first length of its last layers, and all of them differ alike: for example 1,000 in the
    architecture and 5 in the file.

    Args:
        architecture: See `build_architecture`.
        arguments: Keyword arguments from the request.
        wanted: State dict of the architecture, made with these arguments.
        weights: State dict from the file.

    Returns:
        The arguments with `num_classes`, or unchanged if another reason explains the difference.
        `load_weights` then reports the difference.
    """
    plain = dict(arguments)
    if ARGUMENT in plain or not _takes_count(architecture):
        return plain
    if wanted.keys() != weights.keys():
        return plain
    differing = [
        (tuple(weights[name].shape), tuple(wanted[name].shape))
        for name in wanted
        if weights[name].shape != wanted[name].shape
    ]
    counts = {(found[:1], expected[:1]) for found, expected in differing}
    alike = all(found[1:] == expected[1:] and found for found, expected in differing)
    if len(counts) != 1 or not alike:
        return plain
    ((found, _),) = counts
    return {**plain, ARGUMENT: found[0]}


def _takes_count(architecture: str) -> bool:
    try:
        parameters = inspect.signature(find_maker(architecture)).parameters
    except (TypeError, ValueError, WrongUseError):
        return False
    anything = any(one.kind == one.VAR_KEYWORD for one in parameters.values())
    return anything or ARGUMENT in parameters
