"""Ranks the classes of a model's output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.backends.backend import Float32Array

_CLASS_BITS = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SIGN = np.uint32(0x80000000)


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best classes of some images, best first; equal scores in the order of class ids.

    Args:
        class_ids: (n, k) int32.
        scores: (n, k) float32.
        valid: (n,) bool; false if a value of the image is NaN, or is an infinite feature.
    """

    class_ids: npt.NDArray[np.int32]
    scores: Float32Array
    valid: npt.NDArray[np.bool_]

    @staticmethod
    def empty(top_k: int) -> Ranked:
        """Return the ranking of zero images."""
        ids = np.empty((0, top_k), np.int32)
        return Ranked(ids, np.empty((0, top_k), np.float32), np.empty(0, np.bool_))

    @staticmethod
    def unranked(features: Float32Array) -> Ranked:
        """Wrap features, which have no class ids and keep their order."""
        no_ids = np.zeros(features.shape, np.int32)
        valid: npt.NDArray[np.bool_] = np.asarray(np.isfinite(features).all(axis=1))
        return Ranked(no_ids, features, valid)


def rank(output: Float32Array, activation: str, top_k: int) -> Ranked:
    """Apply the activation and keep the best classes.

    Args:
        output: (n, classes) float32, the model's output.
        activation: ``softmax`` for single-label logits, ``sigmoid`` for multi-label logits,
            ``none`` if the output already holds scores.
        top_k: 1 to classes.
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        scores = _ACTIVATIONS[activation](output)
    valid: npt.NDArray[np.bool_] = np.logical_not(np.isnan(scores).any(axis=1))
    # One sortable integer per score and class. There are no ties, so any selection is stable.
    bits = np.ascontiguousarray(scores + np.float32(0)).view(np.uint32)
    ascending = np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint64)
    ids_descending = _LOW - np.arange(scores.shape[1], dtype=np.uint64)
    keys = (ascending << _CLASS_BITS) | ids_descending  # (n, classes)
    if top_k < keys.shape[1]:
        keys = np.partition(keys, keys.shape[1] - top_k, axis=1)[:, -top_k:]
    keys = np.sort(keys, axis=1)[:, ::-1]  # (n, k)
    class_ids = (_LOW - (keys & _LOW)).astype(np.int32)
    return Ranked(class_ids, np.take_along_axis(scores, class_ids, axis=1), valid)


def softmax(logits: Float32Array) -> Float32Array:
    """Convert (n, classes) logits to probabilities in 0..1; each row sums to 1."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Float32Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def sigmoid(logits: Float32Array) -> Float32Array:
    """Convert (n, labels) logits to independent probabilities in 0..1."""
    one = np.float32(1)
    probabilities: Float32Array = one / (one + np.exp(-logits))
    return probabilities


_ACTIVATIONS: dict[str, Callable[[Float32Array], Float32Array]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "none": lambda output: output,
}
