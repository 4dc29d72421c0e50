"""The source model: the result of reading and running an ONNX file or torch weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline.backends.backend import Float32Array
from sightline.bundle.signature import VECTOR, Output


@dataclass(frozen=True)
class SourceModel:
    """Parts of a bundle before it is written.

    Attributes:
        outputs: The outputs. Their heads do not yet contain labels and activation.
        scores: Name of the output with one number per class.
        reference: The source's outputs for the golden images, by name.
        parameters: Number of trained parameters.
        precision: `half` if the source computes in float16 or bfloat16.
        onnx: The serialized graph with uint8 input; None without a graph.
        opset: Opset of that graph; 0 without a graph.
        weights: Weights as safetensors; None without weights.
        head: Name of the torch layer that computes the scores from the features, if known.
        arguments: Keyword arguments of the torch architecture.
        normalises: Whether the source takes uint8 pixels and applies mean and std itself.
        gives_two: Whether the scores were computed from one number per image. They are then
            probabilities with the sum 1.
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
        """Name of the first output with one vector per image; None without one."""
        vectors = [
            one.name for one in self.outputs if one.kind == VECTOR and one.name != self.scores
        ]
        return vectors[0] if vectors else None
