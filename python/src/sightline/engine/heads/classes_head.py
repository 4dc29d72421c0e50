"""The classes head: the best classes, or the probability of each class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.backend import Array, Float32Array
from sightline.engine import arrow_types
from sightline.engine.heads.head import BoolArray, Converted, Kept, list_offsets

_NO_NUMBER = "The model gave a score that is not a number."
_CLASS_BITS = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SIGN = np.uint32(0x80000000)


class ClassesHead:
    """Makes the columns label, class_id, a score, and the list of the best classes.

    Args:
        labels: One label per class.
        activation: See `rank`.
        top_k: Length of the list, at least 1; longer than the number of classes means all.
    """

    fields: Sequence[pa.Field[Any]] = tuple(arrow_types.PREDICTION)

    def __init__(self, labels: Sequence[str], activation: str, top_k: int) -> None:
        self._labels: pa.StringArray = pa.array(labels, pa.string())
        self._activation = activation
        self._top_k = min(top_k, len(labels))
        self.kept = (Kept("int32", (self._top_k,)), Kept("float32", (self._top_k,)))

    def convert(self, output: Array) -> Converted:
        """Rank (n, classes) and return class ids and scores; a row with NaN has no result."""
        ranked = rank(output.astype(np.float32, copy=False), self._activation, self._top_k)
        problems = dict.fromkeys(np.flatnonzero(~ranked.valid).tolist(), _NO_NUMBER)
        return Converted((ranked.class_ids, ranked.scores), problems)

    def columns(self, arrays: Sequence[Array], present: BoolArray) -> list[pa.Array[Any]]:
        """Return the columns of `fields`."""
        class_ids, scores = arrays
        best = pa.array(class_ids[:, 0], pa.int32(), mask=~present)
        score = pa.array(scores[:, 0], pa.float32(), mask=~present)
        return [self._labels.take(best), best, score, self._list(class_ids, scores, present)]

    def _list(self, class_ids: Array, scores: Array, present: BoolArray) -> pa.Array[Any]:
        """Return list<struct<label, class_id, score>>, best first."""
        ids = pa.array(class_ids[present].ravel(), pa.int32())  # present rows * k
        ranked = pa.StructArray.from_arrays(
            [self._labels.take(ids), ids, pa.array(scores[present].ravel(), pa.float32())],
            fields=list(arrow_types.RANKED_CLASS),
        )
        offsets = list_offsets(present, self._top_k)
        return pa.ListArray.from_arrays(
            offsets, ranked, type=arrow_types.TOP_K, mask=pa.array(~present)
        )


class ProbabilitiesHead(ClassesHead):
    """Makes the columns label, class_id, confidence, and a map from each label to its probability.

    The probabilities of classes with the same label are added, because each key of a map is unique.

    Args:
        labels: One label per class.
        activation: See `rank`.
    """

    fields = tuple(arrow_types.PROBABILITIES)

    def __init__(self, labels: Sequence[str], activation: str) -> None:
        super().__init__(labels, activation, len(labels))
        codes = self._labels.dictionary_encode()
        self._keys = codes.dictionary
        self._key_of_class = np.asarray(codes.indices)

    def _list(self, class_ids: Array, scores: Array, present: BoolArray) -> pa.Array[Any]:
        """Return map<label, probability>, in the order of class ids."""
        rows, keys = int(present.sum()), len(self._keys)
        table = np.zeros((rows, keys), np.float32)
        key_ids = self._key_of_class[class_ids[present]]  # (present rows, classes)
        np.add.at(table, (np.arange(rows)[:, None], key_ids), scores[present])
        from_arrays: Any = pa.MapArray.from_arrays  # the stubs have only some of its signatures
        column: pa.Array[Any] = from_arrays(
            list_offsets(present, keys),
            self._keys.take(pa.array(np.tile(np.arange(keys), rows), pa.int32())),
            pa.array(table.ravel(), pa.float32()),
            type=arrow_types.SCORE_OF_LABEL,
            mask=pa.array(~present),
        )
        return column


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best classes of some rows, best first; equal scores in the order of class ids.

    Args:
        class_ids: (n, k) int32.
        scores: (n, k) float32.
        valid: (n,) bool; false if a score of the row is NaN.
    """

    class_ids: npt.NDArray[np.int32]
    scores: Float32Array
    valid: npt.NDArray[np.bool_]


def rank(output: Float32Array, activation: str, top_k: int) -> Ranked:
    """Apply the activation and keep the best classes.

    Args:
        output: (n, classes) float32, the model's output.
        activation: ``softmax`` for single-label logits, ``sigmoid`` for multi-label logits,
            ``none`` if the output already contains scores.
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
