"""The request of `models add`: one model and its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.manifest import Accuracy

# Mean and std with which (x / 255 - mean) / std is x: of a graph that normalises by itself.
PIXELS_AS_THEY_ARE = ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
INSTALL = "sightline[add,cpu,torch]"  # what pip installs for `models add`
RECOMMENDED = "DEFAULT"  # torchvision's name for those of its weights that it recommends


@dataclass(frozen=True)
class AddRequest:
    """One model to add: from an ONNX file, from weights of a named architecture, or from both.

    Attributes:
        name: Letters, digits, '_', '-' and '.'.
        labels: One per class, in the order of the class ids.
        preprocessing: From a decoded image to the input; mean and std go into the graph.
        onnx: An ONNX file, or None to export one from the weights.
        weights: A .safetensors file, or a .pth state dict; or None.
        pretrained: In place of `weights`, the name of torchvision's own, to be fetched: see
            `fetch_weights`; or empty.
        architecture: `torchvision:NAME`, `timm:NAME` or `package.module:function`.
        arguments: Keyword arguments of the architecture.
        activation: "auto" looks whether the golden outputs already are probabilities, and stops
            where that is in doubt.
        scores_output: The ONNX file's output with the scores; empty to look for it.
        export: "onnx" also makes the ONNX variant from weights; "nothing" leaves it out.
    """

    name: str
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    onnx: Path | None = None
    weights: Path | None = None
    pretrained: str = ""
    architecture: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    activation: Literal["auto", "softmax", "sigmoid", "none"] = "auto"
    scores_output: str = ""
    export: Literal["onnx", "nothing"] = "onnx"
    description: str = ""
    licence: str = "not stated"
    source: str = "not stated"
    accuracy: tuple[Accuracy, ...] = ()
