"""What is known of a model once its source has been read and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline.backends.backend import Float32Array
from sightline.bundle.signature import VECTOR, Output


@dataclass(frozen=True)
class SourceModel:
    """The parts of a bundle, not yet written.

    Attributes:
        outputs: Their heads are those of outputs without classes.
        scores: The name of the output with one number per class.
        reference: The source's own outputs on the golden images, by output name.
        parameters: How many numbers were trained.
        precision: `half` if the source computes in float16 or bfloat16.
        onnx: The serialized graph, uint8 in; None if there is to be none.
        opset: Of that graph; 0 without one.
        weights: safetensors; None if there are none.
        head: The layer of the torch network that makes the scores from the features, if known.
        arguments: Of the torch architecture.
        normalises: Whether the source takes uint8 pixels, and mean and std are its own business.
        gives_two: Whether the scores were made of one number an image: probabilities, 1 in all.
    """

    outputs: tuple[Output, ...]
    scores: str
    reference: Mapping[str, Float32Array]
    parameters: int
    precision: str = "single"
    onnx: bytes | None = None
    opset: int = 0
    weights: bytes | None = None
    head: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    normalises: bool = False
    gives_two: bool = False

    @property
    def features(self) -> str | None:
        """The name of the first output of one vector an image, if there is one."""
        vectors = [
            one.name for one in self.outputs if one.kind == VECTOR and one.name != self.scores
        ]
        return vectors[0] if vectors else None
