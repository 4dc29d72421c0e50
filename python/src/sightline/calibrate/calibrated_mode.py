"""What `models calibrate` is asked to measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.backends.entry import has_runtime
from sightline.backends.registry import (
    backends_of,
    precisions_of,
    require_supported,
    require_variant,
)
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import (
    DEFAULT_MAX_TOP1_LOSS,
    DEFAULT_MIN_AGREEMENT,
    DEFAULT_MIN_IMAGES,
    Precision,
)
from sightline.engine.spec import Decoder
from sightline.errors import WrongUseError


@dataclass(frozen=True, slots=True)
class AgreementThreshold:
    """What a measurement must reach.

    Args:
        min_agreement: Share of images with fp32's class, in 0..1.
        max_top1_loss: How far top-1 may lie below that of fp32, where labels are known.
        min_images: Images that must have been compared, at least 1.
    """

    min_agreement: float = DEFAULT_MIN_AGREEMENT
    max_top1_loss: float = DEFAULT_MAX_TOP1_LOSS
    min_images: int = DEFAULT_MIN_IMAGES


@dataclass(frozen=True, slots=True)
class CalibratedMode:
    """A backend, a precision and a decoder that a model runs with."""

    backend: str
    precision: Precision
    decoder: Decoder

    def __str__(self) -> str:
        return f"{self.backend} {self.precision} {self.decoder}"


def reference_mode(bundle: Bundle) -> CalibratedMode:
    """What the others are held against: fp32 in onnxruntime, where the bundle has that."""
    return CalibratedMode(bundle.manifest.variants[0], "fp32", "pillow")


def modes_to_measure(
    bundle: Bundle,
    backends: Sequence[str],
    precisions: Sequence[Precision],
    decoders: Sequence[Decoder],
) -> list[CalibratedMode]:
    """Every combination that is possible and changes something.

    Args:
        bundle: What is to be measured.
        backends: None means all that can run the bundle and are installed.
        precisions: At least one.
        decoders: At least one.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, NO_VARIANT, UNSUPPORTED_PRECISION, or NOTHING_TO_MEASURE.
    """
    for backend in backends:
        require_variant(bundle, backend)
    chosen = backends or [one for one in backends_of(bundle) if has_runtime(one)]
    modes = [
        CalibratedMode(backend, precision, decoder)
        for backend in chosen
        for precision in precisions
        if precision in precisions_of(backend)
        for decoder in decoders
        if precision != "fp32" or decoder != "pillow"
    ]
    if modes:
        return modes
    for backend in chosen:
        for precision in precisions:
            require_supported(backend, precision)
    raise WrongUseError(
        "NOTHING_TO_MEASURE",
        "fp32 with the decoder pillow is what others are measured against. Give --precision "
        "bf16,int8 or --decoder scaled.",
    )
