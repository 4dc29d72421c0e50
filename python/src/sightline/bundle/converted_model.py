"""A model of another framework as an ONNX graph, with the framework's own results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline.backends.backend import Array


@dataclass(frozen=True)
class ConvertedModel:
    """A model of another framework as an ONNX graph, with the framework's own results.

    Attributes:
        onnx: The graph, without external data.
        inputs: Test values for every input of the graph, (rows, …), by name: four rows, or one if
            the graph's batch is fixed at 1.
        outputs: The framework's own outputs for these rows, by the graph's output names.
        origin: Framework and source, such as "Keras 3.15.1 (torch backend), digits.keras".
        parameters: Number of trained numbers.
        labels: Class labels of the outputs with one number for each class, by output name.
        notes: Lines for the user, such as outputs that were left out.
    """

    onnx: bytes
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    origin: str
    parameters: int
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
