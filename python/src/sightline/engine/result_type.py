"""The result that a run computes for each row."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.errors import WrongUseError

DEFAULT_TOP_K = 5


@dataclass(frozen=True, slots=True)
class TopK:
    """The best classes: columns label, class_id, score and top_k.

    Args:
        k: Number of entries in top_k, at least 1. A model with fewer classes gives fewer entries.

    Raises:
        WrongUseError: INVALID_OPTION if k is below 1.
    """

    k: int = DEFAULT_TOP_K

    def __post_init__(self) -> None:
        if self.k < 1:
            raise WrongUseError("INVALID_OPTION", f"top_k is {self.k}; it must be at least 1.")


@dataclass(frozen=True, slots=True)
class Probabilities:
    """The score of every class: columns label, class_id, confidence and probabilities."""


@dataclass(frozen=True, slots=True)
class Vector:
    """The features, in the column features.

    Args:
        output: Name of an output with a vector head; None for the first one.
    """

    output: str | None = None


@dataclass(frozen=True, slots=True)
class Tensors:
    """Unchanged output tensors: one column for each named output.

    Args:
        outputs: Names of outputs of the model's signature, at least one.
    """

    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Several:
    """Several results of one run of the model: a struct column for each, with its own error.

    Args:
        results: At least two results, none of them `Several`.
    """

    results: tuple[OneResult, ...]


OneResult = TopK | Probabilities | Vector | Tensors
ResultType = OneResult | Several
