"""The number of classes that weights were trained for, read from their shapes."""

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
    """The arguments with `num_classes`, if the weights need one that is not among them.

    They do where the architecture, made with the arguments as they are, differs from the weights
    in nothing but the first length of its last layers, and all differ alike: 1,000 there, 5 in the
    file.

    Args:
        architecture: See `build_architecture`.
        arguments: As given.
        wanted: The state dict of the architecture made with them.
        weights: The state dict.

    Returns:
        The arguments as they were wherever that does not explain the difference: then
        `load_weights` says what does not fit.
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
