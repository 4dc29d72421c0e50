"""The choice and the roles of a model's outputs in its bundle, from a run on test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sightline.backends.backend import Float32Array
from sightline.bundle.signature import TENSOR, VECTOR, Kind, Output
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError

_LIKELY = ("logits", "scores", "probabilities", "probs", "output")
_SAME = 1e-3

Change = Literal["none", "flatten", "probability of two", "logit of two"]
Role = Literal["scores", "vector", "tensor"]
Asked = Literal["auto", "softmax", "sigmoid", "none"]


@dataclass(frozen=True)
class KeptOutput:
    """One output of a model that the bundle keeps.

    Attributes:
        source: Name of the output in the model.
        dtype: Dtype in the model: float32, float16 or float64.
        change: `flatten` makes (n, length) of (n, length, 1, 1) or (n, 1, length). The other two
            also make (n, 2) of one number per image: the probability or the logit of the second
            class.
        tensor: The float32 tensor in the bundle.
        role: `scores` for one number per class, `vector` for (n, length), `tensor` for others.
    """

    source: str
    dtype: str
    change: Change
    tensor: TensorSpec
    role: Role

    @property
    def name(self) -> str:
        """Name of the output in the bundle."""
        return self.tensor.name

    @property
    def is_identity(self) -> bool:
        """Whether the bundle keeps the model's output as it is."""
        return self.change == "none" and self.dtype == "float32"

    @property
    def output(self) -> Output:
        """The output in the bundle, without the labels and the activation of the scores."""
        return Output(self.tensor, Kind(TENSOR if self.role == "tensor" else VECTOR))

    def apply(self, values: np.ndarray) -> Float32Array:
        """Convert the model's output to that of the bundle, (n, …) float32."""
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
    """Choose a role for each floating-point output, from its values for `rows` images.

    Args:
        arrays: The outputs by name, of any dtype.
        rows: Number of images. An output with another first length is omitted.
        labels: Number of labels, which is the number of columns of the scores.
        what: The model, for messages.
        activation: Value of `--activation`. It defines the meaning of one number per image.
        scores: Name of the output that contains the scores; empty to detect it.

    Returns:
        The kept outputs; exactly one has the role "scores".

    Raises:
        WrongUseError: LABEL_COUNT_MISMATCH if no output has one column per label, ONE_SCORE if
            there is one number per image and `activation` does not define its meaning,
            AMBIGUOUS_OUTPUT if several outputs may be the scores, UNKNOWN_OUTPUT, NOT_FINITE.
    """
    floats = {
        name: value
        for name, value in arrays.items()
        if value.shape[:1] == (rows,) and np.issubdtype(value.dtype, np.floating)
    }
    if scores and scores not in floats:
        raise WrongUseError("UNKNOWN_OUTPUT", f"'{scores}'. Known: {', '.join(floats) or 'none'}.")
    kept = {name: keep_output(name, value) for name, value in floats.items()}
    given = {name: kept[name].apply(value) for name, value in floats.items()}
    require_finite(given, what)
    considered = {scores: given[scores]} if scores else given
    wide = [name for name, value in considered.items() if value.shape[1:] == (labels,)]
    if labels == 1:
        raise WrongUseError(
            "LABEL_COUNT_MISMATCH",
            f"there is only one label, so {what} would always predict it. Give two classes or "
            "more. For one number per image, give first the class of low numbers.",
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
    """Raise an error for a model whose outputs contain NaN or infinity.

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
    """Return the activation that converts the scores to probabilities.

    Args:
        rows: The scores of the test images, (n, classes).
        asked: Value of `--activation`. "auto" derives the activation from the scores.
        what: The model, for messages.
        close: Largest difference from 1 of the sum of an image's probabilities.

    Raises:
        WrongUseError: AMBIGUOUS_ACTIVATION if the scores allow several activations; BAD_ACTIVATION
            if the requested one would not return probabilities, or would distort them.
    """
    low, high, sums = float(rows.min()), float(rows.max()), rows.sum(axis=1)
    inside = low >= -1e-6 and high <= 1 + max(1e-6, close / 10)
    sum_to_one = inside and bool(np.allclose(sums, 1, atol=close))
    if asked == "none" and not inside:
        raise WrongUseError(
            "BAD_ACTIVATION",
            f"{what} gives scores from {low:.3g} to {high:.3g}, which are not probabilities, but "
            "--activation none would report them unchanged. Use --activation softmax if an image "
            "has one class, sigmoid if it may have several.",
        )
    if asked in ("softmax", "sigmoid") and sum_to_one:
        raise WrongUseError(
            "BAD_ACTIVATION",
            f"{what} gives probabilities: within 0..1, with the sum 1 for each image. --activation "
            f"{asked} would distort them. Use --activation none, or omit the option.",
        )
    if asked != "auto":
        return asked
    if sum_to_one:
        return "none"
    if inside:
        raise WrongUseError(
            "AMBIGUOUS_ACTIVATION",
            f"{what} gives scores within 0..1 whose sum for an image is {sums.min():.3g} to "
            f"{sums.max():.3g}. Specify their meaning: --activation none for probabilities if an "
            "image may have several labels, sigmoid for logits of such labels, softmax for logits "
            "if an image has one class.",
        )
    return "softmax"


def keep_output(name: str, value: np.ndarray) -> KeptOutput:
    """Return how the bundle keeps an output: as a vector if at most one axis is longer than 1."""
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
    """Return the output with one number per image, of a classifier of two classes."""
    single = [name for name, value in considered.items() if value.shape[1:] == (1,)]
    if len(single) != 1:
        raise _mismatch(considered, arrays, labels, what)
    name = single[0]
    values = considered[name]
    low, high = float(values.min()), float(values.max())
    if labels != 2 or activation not in ("none", "sigmoid"):
        raise WrongUseError(
            "ONE_SCORE",
            f"{what} gives one number per image, from {low:.3g} to {high:.3g} for the test images, "
            f"but there are {labels} labels. For a classifier of two classes, give two labels, "
            "first the class of low numbers, and --activation none if the number is a "
            "probability, sigmoid if it is a logit. A regression is not supported.",
        )
    if activation == "none":
        decide_activation(np.concatenate([1 - values, values], axis=1), "none", what)
    change: Change = "probability of two" if activation == "none" else "logit of two"
    tensor = TensorSpec(f"{name}_of_two", "float32", ("n", 2))
    return replace(kept[name], change=change, tensor=tensor)


def _scores_among(wide: Sequence[str], given: Mapping[str, Float32Array], what: str) -> str:
    """Choose one of several outputs with a column per label; their scores must be equivalent."""
    chosen = next((name for name in _LIKELY if name in wide), wide[0])
    others = [name for name in wide if not _same_scores(given[chosen], given[name])]
    if others:
        raise WrongUseError(
            "AMBIGUOUS_OUTPUT",
            f"{what} has {len(wide)} outputs with a column for each label, {', '.join(wide)}, and "
            "their scores differ. Name the output with the scores: --scores-output NAME.",
        )
    return chosen


def _same_scores(one: Float32Array, other: Float32Array) -> bool:
    """Whether both are equal, or one is the softmax or sigmoid of the other."""
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
            f"{what} gives class numbers in its output '{numbers[0]}', but no scores for the "
            f"{labels} labels ({shapes or 'no floating-point output'}): its last step (ArgMax) "
            "selects the largest score. Export it without that step.",
        )
    return WrongUseError(
        "LABEL_COUNT_MISMATCH",
        f"there are {labels} labels, but {what} gives {shapes or 'nothing per image'}. "
        "Give a file with one line per class: --labels FILE.",
    )
