"""What is known of a model once its source has been read and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sightline.backends.protocol import Float32Array
from sightline.bundle.manifest import Tensor
from sightline.errors import WrongUseError

_LIKELY = ("logits", "scores", "probabilities", "probs", "output")


@dataclass(frozen=True)
class Material:
    """The parts of a bundle, not yet written.

    Attributes:
        outputs: Exactly one has the role "scores".
        reference: The source's own outputs on the golden images, by output name.
        parameters: How many numbers were trained.
        onnx: The serialized graph, uint8 in; None if there is to be none.
        opset: Of that graph; 0 without one.
        weights: safetensors; None if there are none.
        head: The layer of the torch network that makes the scores from the features, if known.
    """

    outputs: tuple[Tensor, ...]
    reference: Mapping[str, Float32Array]
    parameters: int
    onnx: bytes | None = None
    opset: int = 0
    weights: bytes | None = None
    head: str = ""

    @property
    def scores(self) -> str:
        """The name of the output with one number per class."""
        return next(output.name for output in self.outputs if output.role == "scores")

    @property
    def features(self) -> str | None:
        """The name of the first output of one vector an image, if there is one."""
        return next((output.name for output in self.outputs if output.role == "features"), None)

    @property
    def gives_probabilities(self) -> bool:
        """Whether every golden row of scores is within 0..1 and sums to 1."""
        rows = self.reference[self.scores]
        inside = bool((rows >= 0).all() and (rows <= 1 + 1e-6).all())
        return inside and bool(np.allclose(rows.sum(axis=1), 1, atol=1e-3))


def describe_outputs(
    arrays: Mapping[str, Float32Array], rows: int, labels: int, what: str
) -> tuple[Tensor, ...]:
    """Give each output its role, from what it gave for `rows` images.

    Args:
        arrays: The outputs by name, float32.
        rows: How many images were run; an output with another first length is left out.
        labels: How many labels there are: the scores have that many columns.
        what: The model, for messages.

    Raises:
        WrongUseError: LABEL_COUNT_MISMATCH if no output has one column per label.
    """
    kept = {name: value for name, value in arrays.items() if value.shape[:1] == (rows,)}
    wide = [name for name, value in kept.items() if value.ndim == 2 and value.shape[1] == labels]
    if not wide:
        shapes = ", ".join(
            f"{name} ({', '.join(['n', *map(str, value.shape[1:])])})"
            for name, value in kept.items()
        )
        raise WrongUseError(
            "LABEL_COUNT_MISMATCH",
            f"there are {labels} labels, but {what} gives {shapes or 'nothing per image'}. "
            "Give a file with one line per class: --labels FILE.",
        )
    scores = next((name for name in _LIKELY if name in wide), wide[0])
    roles = {name: "features" if value.ndim == 2 else "tensor" for name, value in kept.items()}
    roles[scores] = "scores"
    return tuple(
        Tensor(name, "float32", ("n", *value.shape[1:]), roles[name])
        for name, value in kept.items()
    )
