"""The network of a training run: its architecture, start weights, new head and frozen layers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from sightline.backends.architecture import build_architecture, find_maker, load_weights
from sightline.bundle.class_count import ARGUMENT
from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.bundle.recipe import find_recipe
from sightline.bundle.weights import read_weights
from sightline.errors import WrongUseError
from sightline.train.find_checkpoint import find_checkpoint
from sightline.train.storage import Storage
from sightline.train.train_settings import ALL_BUT_HEAD, NO_WEIGHTS, TrainSettings

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_USUAL_RESIZE = 256 / 224


def full_name(architecture: str) -> str:
    """Return the architecture with its library: ``resnet50`` is ``torchvision:resnet50``.

    A name that torchvision does not have is timm's.
    """
    if ":" in architecture:
        return architecture
    import torchvision

    known = architecture in torchvision.models.list_models()
    return f"{'torchvision' if known else 'timm'}:{architecture}"


def preprocessing_of(settings: TrainSettings) -> Preprocessing:
    """Return the steps from a decoded image to the input, in training and in serving.

    Interpolation, the ratio of resize and crop, mean and deviation are those that torchvision or
    timm publish with the weights, if they publish any.

    Raises:
        WrongUseError: UNKNOWN_ARCHITECTURE.
    """
    recipe = find_recipe(settings.architecture)
    edge = settings.image_size
    known = recipe.preprocessing if recipe else None
    crop = known.crop if known else None
    ratio = known.resize.height / crop.height if known and crop else _USUAL_RESIZE
    resized = max(edge, round(edge * ratio))
    mean, std = (known.mean, known.std) if known else _IMAGENET
    interpolation = known.resize.interpolation if known else "bilinear"
    return Preprocessing(
        "RGB",
        Resize("shortest_edge", resized, resized, interpolation),
        Size(edge, edge),
        settings.mean or mean,
        settings.std or std,
    )


def architecture_arguments(settings: TrainSettings, classes: int) -> dict[str, object]:
    """Return the keyword arguments of the architecture for a number of classes."""
    return {**(settings.arguments or {}), ARGUMENT: classes}


def build_network(
    settings: TrainSettings, classes: int, start: Mapping[str, torch.Tensor] | None
) -> torch.nn.Module:
    """Return the network with start weights and a new head, whose values depend on the seed.

    Args:
        settings: The run's settings.
        classes: Number of classes, at least 2.
        start: Start weights; None for random ones.

    Raises:
        WrongUseError: BAD_ARCHITECTURE; WEIGHTS_MISMATCH if the weights differ from the
            architecture in more than the head.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = build_architecture(
            settings.architecture, architecture_arguments(settings, classes), allow_code=True
        )
    if start is not None:
        own = network.state_dict()
        head = head_names(settings, classes)
        load_weights(
            network,
            {name: own[name] if name in head else value for name, value in start.items()},
            settings.architecture,
        )
    return network


def start_weights(settings: TrainSettings) -> dict[str, torch.Tensor] | None:
    """Read or download the start weights; None for random ones.

    Raises:
        WrongUseError: errors of `read_weights`, `fetch_weights` and `find_checkpoint`.
        SightlineError: CHECKPOINT_CORRUPT.
    """
    if settings.weights == NO_WEIGHTS:
        return None
    file = Path(settings.weights)
    if file.is_dir():
        return find_checkpoint(Storage(file)).model
    if file.suffix in (".safetensors", ".pth", ".pt"):
        return read_weights(file)
    from sightline.bundle.pretrained import fetch_weights

    return fetch_weights(settings.architecture, settings.weights)


def head_names(settings: TrainSettings, classes: int) -> frozenset[str]:
    """Return the names of the tensors that depend on the number of classes: the head's.

    Raises:
        WrongUseError: BAD_ARCHITECTURE if the architecture takes no `num_classes`.
    """
    maker = find_maker(settings.architecture)
    taken = inspect.signature(maker).parameters
    if ARGUMENT not in taken and not any(one.kind == one.VAR_KEYWORD for one in taken.values()):
        raise WrongUseError(
            "BAD_ARCHITECTURE",
            f"'{settings.architecture}' takes no argument {ARGUMENT}, so it cannot get a new head.",
        )
    shapes = []
    for count in (classes, classes + 1):
        with torch.device("meta"):
            network = build_architecture(
                settings.architecture, architecture_arguments(settings, count), allow_code=True
            )
        shapes.append({name: tuple(one.shape) for name, one in network.state_dict().items()})
    return frozenset(name for name, shape in shapes[0].items() if shapes[1][name] != shape)


def freeze(
    network: torch.nn.Module, settings: TrainSettings, classes: int
) -> list[torch.nn.Module]:
    """Freeze layers as the settings say.

    Returns:
        The layers that stay in evaluation mode, so that their batch normalisation keeps its
        statistics: the frozen ones, and all batch normalisation if `batch_norm` is ``keep``.

    Raises:
        WrongUseError: INVALID_OPTION if all layers would be frozen.
    """
    frozen = _frozen_layers(network, settings, classes)
    for layer in frozen:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad = False
    if settings.batch_norm == "update":
        return frozen
    return frozen + [one for one in network.modules() if isinstance(one, _BatchNorm)]


def _frozen_layers(
    network: torch.nn.Module, settings: TrainSettings, classes: int
) -> list[torch.nn.Module]:
    if settings.freeze == "none":
        return []
    layers = [one for one in network.modules() if any(True for _ in one.parameters(recurse=False))]
    if settings.freeze == ALL_BUT_HEAD:
        head = head_names(settings, classes)
        names = dict(network.named_parameters())
        trained = {id(names[name]) for name in head if name in names}
        return [
            one
            for one in layers
            if not any(id(p) in trained for p in one.parameters(recurse=False))
        ]
    count = int(settings.freeze)
    if count >= len(layers):
        raise WrongUseError(
            "INVALID_OPTION",
            f"--freeze is {count}, and {settings.architecture} has {len(layers)} layers with "
            f"weights. Freeze fewer, or use {ALL_BUT_HEAD}.",
        )
    return layers[:count]


def set_training(network: torch.nn.Module, evaluated: list[torch.nn.Module]) -> None:
    """Put the network in training mode, but the layers of `freeze` in evaluation mode.

    If all but the head is frozen, the rest of the network also drops nothing at random.
    """
    network.train()
    for layer in evaluated:
        layer.eval()


def count_parameters(network: torch.nn.Module) -> tuple[int, int]:
    """Return the number of trained parameters, and of all."""
    sizes = [(math.prod(one.shape), one.requires_grad) for one in network.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)
