"""The request of `models add`: one model and its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.manifest import Accuracy

# With these values (x / 255 - mean) / std is x. They are for a graph that normalises by itself.
PIXELS_AS_THEY_ARE = ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
INSTALL = "sightline[add,cpu,torch]"  # what pip installs for `models add`
RECOMMENDED = "DEFAULT"  # torchvision's name for the weights that it recommends


@dataclass(frozen=True)
class AddRequest:
    """One model to add: from an ONNX file, from weights and an architecture's name, or from both.

    Attributes:
        name: Name of the model: letters, digits, '_', '-' and '.'.
        labels: One label per class, in the order of the class ids.
        preprocessing: Steps from a decoded image to the input; mean and std become graph nodes.
        onnx: An ONNX file; None exports one from the weights.
        weights: A .safetensors file or a .pth state dict; None without weights.
        pretrained: Name of torchvision's own weights to download in place of `weights`, see
            `fetch_weights`; empty for none.
        architecture: `torchvision:NAME`, `timm:NAME` or `package.module:function`.
        arguments: Keyword arguments of the architecture.
        activation: "auto" derives the activation from the golden outputs, and raises an error if
            they are ambiguous.
        scores_output: The ONNX file's output that contains the scores; empty to detect it.
        export: "onnx" also makes an ONNX variant from the weights; "nothing" makes none.
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
