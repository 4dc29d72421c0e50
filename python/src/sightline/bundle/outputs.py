"""Which outputs of a model become which outputs of its bundle, judged by what the model gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sightline.backends.backend import Float32Array
from sightline.bundle.signature import TENSOR, VECTOR, Kind, Output, TensorSpec
from sightline.errors import WrongUseError

_LIKELY = ("logits", "scores", "probabilities", "probs", "output")
_SAME = 1e-3

Change = Literal["none", "flatten", "probability of two", "logit of two"]
Role = Literal["scores", "vector", "tensor"]
Asked = Literal["auto", "softmax", "sigmoid", "none"]


@dataclass(frozen=True)
class KeptOutput:
    """One output of a model, and what becomes of it.

    Attributes:
        source: Its name in the model.
        dtype: In the model: float32, float16 or float64.
        change: `flatten` makes (n, length) of (n, length, 1, 1) or (n, 1, length); the others also
            make (n, 2) of one number an image: the probability of the second class, or its logit.
        tensor: In the bundle; float32.
        role: `scores` for one number per class, `vector` for (n, length), `tensor` for others.
    """

    source: str
    dtype: str
    change: Change
    tensor: TensorSpec
    role: Role

    @property
    def name(self) -> str:
        """Its name in the bundle."""
        return self.tensor.name

    @property
    def output(self) -> Output:
        """In the bundle, without the labels and the activation of the scores."""
        return Output(self.tensor, Kind(TENSOR if self.role == "tensor" else VECTOR))

    def apply(self, values: np.ndarray) -> Float32Array:
        """What the bundle gives, (n, …) float32, where the model gives `values`."""
        found: Float32Array = values.astype(np.float32)
        if self.change != "none":
            found = found.reshape(len(found), -1)  # (n, length)
        if self.change == "logit of two":
            found = _sigmoid(found)
        if self.change in ("logit of two", "probability of two"):
            found = np.concatenate([1 - found, found], axis=1)  # (n, 2)
        return found


def choose_outputs(
    arrays: Mapping[str, np.ndarray],
    rows: int,
    labels: int,
    what: str,
    activation: Asked = "auto",
    scores: str = "",
) -> tuple[KeptOutput, ...]:
    """Give each floating-point output its role, from what it gave for `rows` images.

    Args:
        arrays: The outputs by name, of any dtype.
        rows: How many images were run; an output with another first length is left out.
        labels: How many labels there are: the scores have that many columns.
        what: The model, for messages.
        activation: What `--activation` says; it decides what one number an image means.
        scores: The name of the output that holds the scores; empty to look for it.

    Returns:
        The kept outputs; exactly one has the role "scores".

    Raises:
        WrongUseError: LABEL_COUNT_MISMATCH if no output has one column per label, ONE_SCORE if
            there is one number an image and nobody has said what it means, AMBIGUOUS_OUTPUT if
            several outputs may be the scores, UNKNOWN_OUTPUT, NOT_FINITE.
    """
    floats = {
        name: value
        for name, value in arrays.items()
        if value.shape[:1] == (rows,) and np.issubdtype(value.dtype, np.floating)
    }
    if scores and scores not in floats:
        raise WrongUseError("UNKNOWN_OUTPUT", f"'{scores}'. Known: {', '.join(floats) or 'none'}.")
    kept = {name: _kept(name, value) for name, value in floats.items()}
    given = {name: kept[name].apply(value) for name, value in floats.items()}
    require_finite(given, what)
    considered = {scores: given[scores]} if scores else given
    wide = [name for name, value in considered.items() if value.shape[1:] == (labels,)]
    if labels == 1:
        raise WrongUseError(
            "LABEL_COUNT_MISMATCH",
            f"there is one label, so that {what} could only ever give that one. Name two classes "
            "or more; for one number an image, first the class that a low number means.",
        )
    if not wide:
        chosen = _single(considered, kept, labels, activation, arrays, what)
    else:
        chosen = kept[_scores_among(wide, given, what)]
    return tuple(
        replace(chosen, role="scores") if one.source == chosen.source else one
        for one in kept.values()
    )


def require_finite(arrays: Mapping[str, Float32Array], what: str) -> None:
    """Refuse a model that gives no numbers.

    Raises:
        WrongUseError: NOT_FINITE, naming the output.
    """
    for name, value in arrays.items():
        bad = int((~np.isfinite(value)).reshape(len(value), -1).any(axis=1).sum())
        if bad:
            raise WrongUseError(
                "NOT_FINITE",
                f"{what} gives NaN or infinity in its output '{name}' for {bad} of {len(value)} "
                "test images. Its weights may be damaged, --mean and --std may be those of another "
                "model, or its numbers exceed 65,504, the largest of float16: then export it in "
                "float32.",
            )


def decide_activation(
    rows: Float32Array, asked: Asked, what: str, close: float = 1e-3
) -> Literal["softmax", "sigmoid", "none"]:
    """What makes probabilities of the scores.

    Args:
        rows: The scores of the test images, (n, classes).
        asked: "auto" decides where the scores leave no doubt.
        what: The model, for messages.
        close: How near to 1 the sum of an image's probabilities is.

    Raises:
        WrongUseError: AMBIGUOUS_ACTIVATION if they do leave doubt, BAD_ACTIVATION if what was
            asked for would give no probabilities, or distort them.
    """
    low, high, sums = float(rows.min()), float(rows.max()), rows.sum(axis=1)
    inside = low >= -1e-6 and high <= 1 + max(1e-6, close / 10)
    sum_to_one = inside and bool(np.allclose(sums, 1, atol=close))
    if asked == "none" and not inside:
        raise WrongUseError(
            "BAD_ACTIVATION",
            f"{what} gives scores from {low:.3g} to {high:.3g}, which are no probabilities, and "
            "--activation none would report them as they are. Use --activation softmax if an image "
            "has one class, sigmoid if it may have several.",
        )
    if asked in ("softmax", "sigmoid") and sum_to_one:
        raise WrongUseError(
            "BAD_ACTIVATION",
            f"{what} gives probabilities already: within 0..1, and 1 in all for each image. "
            f"--activation {asked} would distort them. Use --activation none, or leave it out.",
        )
    if asked != "auto":
        return asked
    if sum_to_one:
        return "none"
    if inside:
        raise WrongUseError(
            "AMBIGUOUS_ACTIVATION",
            f"{what} gives scores within 0..1 whose sum for an image is {sums.min():.3g} to "
            f"{sums.max():.3g}. Say what they are: --activation none for probabilities of labels "
            "of which an image may have several, sigmoid for logits of such labels, softmax for "
            "logits of classes of which it has one.",
        )
    return "softmax"


def _kept(name: str, value: np.ndarray) -> KeptOutput:
    lengths = value.shape[1:]
    vector = sum(length > 1 for length in lengths) <= 1  # (n, length, 1, 1), (n, 1, length), (n,)
    change: Change = "flatten" if vector and len(lengths) != 1 else "none"
    shape = (int(np.prod(lengths)),) if vector else lengths
    changed = change != "none" or value.dtype != np.float32
    tensor = TensorSpec(
        f"{name}_float32" if changed and change == "none" else f"{name}_flat" if changed else name,
        "float32",
        ("n", *shape),
    )
    return KeptOutput(name, str(value.dtype), change, tensor, "vector" if vector else "tensor")


def _single(
    considered: Mapping[str, Float32Array],
    kept: Mapping[str, KeptOutput],
    labels: int,
    activation: Asked,
    arrays: Mapping[str, np.ndarray],
    what: str,
) -> KeptOutput:
    """The output with one number an image, of a classifier of two classes."""
    single = [name for name, value in considered.items() if value.shape[1:] == (1,)]
    if len(single) != 1:
        raise _mismatch(considered, arrays, labels, what)
    name = single[0]
    values = considered[name]
    low, high = float(values.min()), float(values.max())
    if labels != 2 or activation not in ("none", "sigmoid"):
        raise WrongUseError(
            "ONE_SCORE",
            f"{what} gives one number an image, from {low:.3g} to {high:.3g} for the test images, "
            f"and there are {labels} labels. For a classifier of two classes give two labels, "
            "first the class that a low number means, and --activation none if the number is a "
            "probability, sigmoid if it is a logit. A regression is not supported.",
        )
    if activation == "none":
        decide_activation(np.concatenate([1 - values, values], axis=1), "none", what)
    change: Change = "probability of two" if activation == "none" else "logit of two"
    tensor = TensorSpec(f"{name}_of_two", "float32", ("n", 2))
    return replace(kept[name], change=change, tensor=tensor)


def _scores_among(wide: Sequence[str], given: Mapping[str, Float32Array], what: str) -> str:
    """Of several outputs with a column per label, one; the others must say the same."""
    chosen = next((name for name in _LIKELY if name in wide), wide[0])
    others = [name for name in wide if not _same_scores(given[chosen], given[name])]
    if others:
        raise WrongUseError(
            "AMBIGUOUS_OUTPUT",
            f"{what} has {len(wide)} outputs with a column for each label, {', '.join(wide)}, and "
            "they say different things. Name the one with the scores: --scores-output NAME.",
        )
    return chosen


def _same_scores(one: Float32Array, other: Float32Array) -> bool:
    """Whether they are equal, or the one is softmax or sigmoid of the other."""
    pairs = [(one, other)]
    for activation in (_softmax, _sigmoid):
        pairs += [(activation(one), other), (one, activation(other))]
    return any(np.allclose(a, b, atol=_SAME) for a, b in pairs)


def _softmax(rows: Float32Array) -> Float32Array:
    shifted = np.exp(rows - rows.max(axis=1, keepdims=True))
    found: Float32Array = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def _sigmoid(rows: Float32Array) -> Float32Array:
    with np.errstate(over="ignore"):
        found: Float32Array = (1 / (1 + np.exp(-rows))).astype(np.float32)
    return found


def _mismatch(
    considered: Mapping[str, Float32Array],
    arrays: Mapping[str, np.ndarray],
    labels: int,
    what: str,
) -> WrongUseError:
    shapes = ", ".join(
        f"{name} ({', '.join(['n', *map(str, value.shape[1:])])})"
        for name, value in considered.items()
    )
    numbers = [name for name, value in arrays.items() if np.issubdtype(value.dtype, np.integer)]
    if numbers:
        return WrongUseError(
            "LABEL_COUNT_MISMATCH",
            f"{what} gives class numbers in its output '{numbers[0]}', and no scores for the "
            f"{labels} labels ({shapes or 'no floating-point output'}): it takes the largest score "
            "itself. Export it without that last step (ArgMax).",
        )
    return WrongUseError(
        "LABEL_COUNT_MISMATCH",
        f"there are {labels} labels, but {what} gives {shapes or 'nothing per image'}. "
        "Give a file with one line per class: --labels FILE.",
    )
