"""The request for a bundle of a model of any tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.manifest import Accuracy
from sightline.bundle.outputs import Asked
from sightline.bundle.sample_rows import Range


@dataclass(frozen=True)
class TensorRequest:
    """The user's choices for a model of any tensors.

    Attributes:
        name: Name of the model: letters, digits, '_', '-' and '.'.
        heads: classes, vector or tensor, by output. See `choose_heads` for other outputs.
        labels: Labels of classes, by output; those of "" belong to the only output with as many
            numbers as there are labels, or to all outputs with a classes head in `heads`.
        outputs: Names of inner values of the graph that become outputs.
        images: Preprocessing of the inputs that are images, by name. Mean and std become nodes.
        ranges: Lowest value and limit of test values, for inputs by name. See `find_rows`.
        activation: "auto" derives the activation of class scores from the golden outputs.
        description: One line.
        licence: Licence of the weights.
        source: Origin of the weights; empty for the origin that the converter states.
        accuracy: Measured accuracies.
    """

    name: str
    heads: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    images: Mapping[str, Preprocessing] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    activation: Asked = "auto"
    description: str = ""
    licence: str = "not stated"
    source: str = ""
    accuracy: tuple[Accuracy, ...] = ()
