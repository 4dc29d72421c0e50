"""Labels and preprocessing that torchvision and timm publish with their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sightline.bundle.add_request import INSTALL, RECOMMENDED
from sightline.bundle.image_settings import INTERPOLATIONS, Preprocessing, Resize, Size
from sightline.require_package import require_package

_IMAGENET_CLASSES, _COLOURS = 1000, 3
_TORCHVISION_LICENCE = (
    "BSD-3-Clause, as torchvision; the data it was trained on may set terms of its own"
)


@dataclass(frozen=True)
class Recipe:
    """Labels and settings for the weights that a library publishes for an architecture.

    Attributes:
        origin: Names of the library and of the weights, for messages.
        preprocessing: Steps from a decoded image to the input.
        labels: One label per class; empty if the library publishes none.
        arguments: The library's keyword arguments of the architecture for these weights.
        licence: Licence of the weights.
        source: Origin of the weights.
    """

    origin: str
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    arguments: Mapping[str, object] = field(default_factory=dict)
    licence: str = ""
    source: str = ""


def find_recipe(architecture: str, pretrained: str = "") -> Recipe | None:
    """Return the recipe of the named weights, or of the weights that the library recommends.

    Args:
        architecture: `torchvision:NAME` or `timm:NAME`. Other architectures have no recipe.
        pretrained: A name for `find_weights`; empty for the recommended weights, if any.

    Raises:
        WrongUseError: MISSING_PACKAGE, UNKNOWN_ARCHITECTURE, UNKNOWN_WEIGHTS or NO_WEIGHTS.
    """
    library, _, plain = architecture.partition(":")
    if library not in ("timm", "torchvision") and not pretrained:
        return None
    require_package(
        "torch",
        "torchvision" if pretrained else library,
        install=INSTALL,
        purpose="models add",
    )
    from sightline.backends.architecture import find_maker

    if library == "timm" and not pretrained:
        find_maker(architecture)
        return _timm(plain)
    return _torchvision(architecture, plain, pretrained)


def imagenet_labels() -> tuple[str, ...]:
    """Return the 1,000 ImageNet-1k names by class id; crane and maillot occur twice."""
    from timm.data.imagenet_info import ImageNetInfo

    names = ImageNetInfo("imagenet-1k")
    return tuple(names.index_to_description(at).split(", ")[0] for at in range(_IMAGENET_CLASSES))


def _torchvision(architecture: str, plain: str, pretrained: str) -> Recipe | None:
    import torchvision
    from torchvision.transforms._presets import ImageClassification

    from sightline.bundle.pretrained import find_weights, known_weights

    if not pretrained and RECOMMENDED not in known_weights(architecture):
        return None
    weights = find_weights(architecture, pretrained or RECOMMENDED)
    how = weights.transforms()
    if not isinstance(how, ImageClassification) or how.interpolation.value not in INTERPOLATIONS:
        return None  # the weights have no classes of whole images
    resize, crop = how.resize_size[0], how.crop_size[0]
    arguments: dict[str, object] = {}
    if plain in ("googlenet", "inception_v3"):  # their weights expect TensorFlow's normalisation
        arguments["transform_input"] = True
    if plain.startswith("vit_"):
        arguments["image_size"] = weights.meta["min_size"][0]
    return Recipe(
        origin=f"torchvision's {weights}",
        preprocessing=Preprocessing(
            color="RGB",
            resize=Resize("shortest_edge", resize, resize, how.interpolation.value),
            crop=Size(crop, crop),
            mean=_triple(how.mean),
            std=_triple(how.std),
        ),
        labels=tuple(weights.meta["categories"]),
        arguments=arguments,
        licence=weights.meta.get("license", _TORCHVISION_LICENCE),
        source=f"torchvision {torchvision.__version__}, {weights}, {weights.url}",
    )


def _timm(plain: str) -> Recipe | None:
    import timm
    from timm.data.config import resolve_data_config

    offered = timm.get_pretrained_cfg(plain)
    if offered is None:
        return None
    how = resolve_data_config(pretrained_cfg=offered.to_dict())  # type: ignore[no-untyped-call]
    colours, height, width = how["input_size"]
    known = how["crop_mode"] in ("center", "squash") and how["interpolation"] in INTERPOLATIONS
    if not known or height != width or colours != _COLOURS:
        return None
    edge = int(height / how["crop_pct"])
    mode = "stretch" if how["crop_mode"] == "squash" else "shortest_edge"
    return Recipe(
        origin=f"timm's {offered.architecture}.{offered.tag}",
        preprocessing=Preprocessing(
            color="RGB",
            resize=Resize(mode, edge, edge, how["interpolation"]),
            crop=Size(height, width),
            mean=_triple(how["mean"]),
            std=_triple(how["std"]),
        ),
        labels=imagenet_labels() if offered.num_classes == _IMAGENET_CLASSES else (),
    )


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
