"""The agreement with fp32 that a calibrated mode must reach."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_MIN_AGREEMENT = 0.98
DEFAULT_MAX_TOP1_LOSS = 0.005
DEFAULT_MIN_IMAGES = 500


@dataclass(frozen=True, slots=True)
class AgreementThreshold:
    """The agreement with fp32 that a mode must reach.

    Args:
        min_agreement: Share of the images with the same class as in fp32, in 0..1.
        max_top1_loss: Largest loss of top-1 accuracy against fp32, in 0..1, if labels are known.
        min_images: Number of images that must be compared, at least 1.
    """

    min_agreement: float = DEFAULT_MIN_AGREEMENT
    max_top1_loss: float = DEFAULT_MAX_TOP1_LOSS
    min_images: int = DEFAULT_MIN_IMAGES
