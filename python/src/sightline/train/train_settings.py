"""The settings of a training run. They are saved with the run, and one file can hold them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from sightline.errors import WrongUseError

Optimizer = Literal["adam", "adamw", "sgd"]
Scheduler = Literal["constant", "cosine", "step"]
TrainPrecision = Literal["fp32", "bf16", "fp16"]
Augment = Literal["none", "flip", "crop"]
BatchNorm = Literal["update", "keep"]
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
SCHEDULERS: tuple[Scheduler, ...] = get_args(Scheduler)
TRAIN_PRECISIONS: tuple[TrainPrecision, ...] = get_args(TrainPrecision)
AUGMENTS: tuple[Augment, ...] = get_args(Augment)
BATCH_NORMS: tuple[BatchNorm, ...] = get_args(BatchNorm)
ALL_BUT_HEAD = "all-but-head"
NO_WEIGHTS = "none"

_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": OPTIMIZERS,
    "scheduler": SCHEDULERS,
    "precision": TRAIN_PRECISIONS,
    "augment": AUGMENTS,
    "batch_norm": BATCH_NORMS,
}
_AT_LEAST_1 = ("epochs", "batch_size", "image_size", "checkpoint_every", "keep")
_AT_LEAST_0 = ("warmup_epochs", "checkpoint_batches", "seed")


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a network is trained. Nothing here depends on the machine or on the number of workers.

    Args:
        architecture: ``torchvision:NAME``, ``timm:NAME`` or ``package.module:function``.
        arguments: Keyword arguments of the architecture, without ``num_classes``.
        weights: A .safetensors or .pth file, the folder of a run or of a checkpoint, the name of
            torchvision's weights (``DEFAULT``: those it recommends), or ``none`` for random ones.
            The head is always new.
        image_size: Height and width of the network's input, in pixels.
        mean: Mean of each colour that the network expects, in 0..1; None for that of the weights.
        std: Standard deviation of each colour, in 0..1; None for that of the weights.
        epochs: Passes over the training part.
        batch_size: Samples of one step of all workers together.
        optimizer: ``adam``, ``adamw`` or ``sgd``.
        learning_rate: Above 0.
        weight_decay: At least 0.
        momentum: Of ``sgd``, in 0..1.
        label_smoothing: Of the cross-entropy, in 0..1.
        scheduler: ``constant``; ``cosine`` falls to 0 at the end; ``step`` divides by 10 at a half
            and at three quarters of the steps.
        warmup_epochs: Epochs in which the learning rate rises from 0.
        augment: ``none``: the pixels that serving sees; ``flip``: mirrored at random; ``crop``: a
            part of random size and shape, mirrored at random.
        freeze: ``none``; ``all-but-head``; or a number N: the first N layers with weights keep
            theirs. Frozen batch normalisation keeps its statistics.
        batch_norm: ``update``: layers that are trained normalise by the batch and update their
            statistics; ``keep``: all batch normalisation keeps the statistics of the start
            weights, which suits small batches and weights whose statistics were folded into the
            layers (mean 0, variance 1).
        precision: ``fp32``; ``bf16`` and ``fp16`` compute in that type and keep fp32 weights.
        seed: Of the order, of the augmentation, of the new head and of dropout.
        checkpoint_every: Epochs between checkpoints.
        checkpoint_batches: Steps between checkpoints within an epoch; 0 for none.
        keep: Newest checkpoints that are kept, beside the best.

    Raises:
        WrongUseError: INVALID_OPTION, or UNKNOWN_OPTIMIZER and so on with the known names.
    """

    architecture: str = "torchvision:resnet50"
    arguments: Mapping[str, object] | None = None
    weights: str = "DEFAULT"
    image_size: int = 224
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    epochs: int = 10
    batch_size: int = 64
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    label_smoothing: float = 0.0
    scheduler: Scheduler = "constant"
    warmup_epochs: int = 0
    augment: Augment = "none"
    freeze: str = "none"
    batch_norm: BatchNorm = "update"
    precision: TrainPrecision = "fp32"
    seed: int = 0
    checkpoint_every: int = 2
    checkpoint_batches: int = 0
    keep: int = 3

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise WrongUseError(
                    f"UNKNOWN_{name.upper()}",
                    f"{_option(name)} '{getattr(self, name)}'. Known: {', '.join(known)}.",
                )
        for names, least in ((_AT_LEAST_1, 1), (_AT_LEAST_0, 0)):
            for name in names:
                if getattr(self, name) < least:
                    raise self._invalid(name, f"be at least {least}")
        if self.seed >= 2**31:
            raise self._invalid("seed", "be below 2147483648")
        if not self.learning_rate > 0:
            raise self._invalid("learning_rate", "be above 0")
        if not self.weight_decay >= 0:
            raise self._invalid("weight_decay", "be at least 0")
        for name in ("momentum", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise self._invalid(name, "be at least 0 and below 1")
        if self.freeze not in ("none", ALL_BUT_HEAD) and not self.freeze.isdecimal():
            raise self._invalid("freeze", f"be none, {ALL_BUT_HEAD} or a number of layers")

    def require_device(self, kind: str) -> None:
        """Raise an error if a kind of device, ``cpu`` or ``cuda``, cannot train with the precision.

        Raises:
            WrongUseError: UNSUPPORTED_PRECISION.
        """
        if self.precision == "fp16" and kind != "cuda":
            raise WrongUseError(
                "UNSUPPORTED_PRECISION",
                "--precision fp16 trains on a CUDA device only; on the CPU use bf16 or fp32.",
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON has them."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> TrainSettings:
        """Return the settings among values by name, such as those that `as_dict` wrote."""
        names = {field.name for field in fields(TrainSettings)}
        known = {name: value for name, value in values.items() if name in names}
        for name in ("mean", "std"):
            if known.get(name) is not None:
                known[name] = tuple(known[name])
        return TrainSettings(**known)

    def _invalid(self, name: str, rule: str) -> WrongUseError:
        return WrongUseError(
            "INVALID_OPTION", f"{_option(name)} is {getattr(self, name)}; it must {rule}."
        )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
