"""The golden batch: images whose outputs are known, by which variants are held together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import safetensors
import safetensors.numpy

from sightline.backends.backend import Float32Array, Session, UInt8Array
from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import Size
from sightline.errors import SightlineError, WrongUseError

GOLDEN_ROWS = 4
TOLERANCE = 1e-3
_SINGLE, _HALF = 5e-5, 1e-2  # what rounding may do to the largest score, as a share of it
_IMAGES = "images"
_PREFIX = "output:"


def golden_images(size: Size) -> UInt8Array:
    """Four fixed images, (4, height, width, 3) uint8: a slope, waves, noise, and noisy waves."""
    random = np.random.default_rng(20_240_601)
    y, x = np.mgrid[0 : size.height, 0 : size.width]
    y, x = y[..., None] / size.height, x[..., None] / size.width  # (height, width, 1), 0..1
    colour = np.arange(3) / 3
    slope = (x * (1 - colour) + y * colour) * 255
    waves = 127.5 + 127.5 * np.sin(2 * np.pi * (5 * x + 3 * y + colour))
    noise = random.uniform(0, 255, (size.height, size.width, 3))
    both = 0.6 * waves + 0.4 * noise
    images: UInt8Array = np.stack([slope, waves, noise, both]).clip(0, 255).astype(np.uint8)
    return images


def pack_golden(images: UInt8Array, outputs: Mapping[str, Float32Array]) -> bytes:
    """The content of golden.safetensors."""
    named = {_PREFIX + name: np.ascontiguousarray(value) for name, value in outputs.items()}
    packed: bytes = safetensors.numpy.save({_IMAGES: images, **named})
    return packed


def read_golden(bundle: Bundle) -> tuple[UInt8Array, dict[str, Float32Array]]:
    """The bundle's golden images, and the source's outputs by name.

    Raises:
        WrongUseError: INVALID_BUNDLE if the file has changed or is not what the manifest says.
    """
    file = bundle.manifest.golden.file
    try:
        arrays = safetensors.numpy.load(bundle.read_bytes(file))
        images = arrays.pop(_IMAGES)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise WrongUseError(
            "INVALID_BUNDLE", f"{bundle.path}: '{file}' is not a golden batch ({error!r})."
        ) from error
    size = bundle.manifest.preprocessing.size
    if images.shape[1:] != (size.height, size.width, 3) or images.dtype != np.uint8:
        raise WrongUseError(
            "INVALID_BUNDLE",
            f"{bundle.path}: '{file}' holds images {images.shape} of {images.dtype}, not uint8 "
            f"(n, {size.height}, {size.width}, 3).",
        )
    scores = arrays.get(_PREFIX + bundle.manifest.scores.name)
    wanted = (len(images), bundle.manifest.classes)
    if scores is None or scores.shape != wanted or scores.dtype != np.float32:
        raise WrongUseError(
            "INVALID_BUNDLE",
            f"{bundle.path}: '{file}' does not hold the scores of its images, {wanted} float32.",
        )
    return images, {name.removeprefix(_PREFIX): value for name, value in arrays.items()}


def tolerance_for(scores: Float32Array, precision: str) -> float:
    """The largest |difference| of scores that is put down to rounding.

    0.001, or a share of the largest score where that is more: float32 keeps seven digits and
    float16 three, and a deep network loses some.

    Args:
        scores: The source's, for the golden images.
        precision: What the source computes in: `single` or `half`.
    """
    largest = float(np.abs(scores).max(initial=0.0))
    least, share = (_HALF, _HALF) if precision == "half" else (TOLERANCE, _SINGLE)
    return max(least, share * largest)


def capped_tolerance(tolerance: float, scores: Float32Array) -> float:
    """A manifest's tolerance, but no more than is put down to the rounding of float16."""
    return min(tolerance, tolerance_for(scores, "half"))


def deltas(
    found: Mapping[str, Float32Array], expected: Mapping[str, Float32Array], scores: str
) -> dict[str, float]:
    """The largest |difference| of any number of each output from what is expected.

    Features may be of any magnitude, so theirs counts in units of the largest one expected, where
    that is above 1. Infinite where an output is absent, or shapes or NaN differ.

    Args:
        found: Outputs by name.
        expected: What they should be.
        scores: The name of the output with the scores.
    """
    absent = {name: float("inf") for name in {scores, *expected} - found.keys()}
    return absent | {
        name: (_delta if name == scores else scaled_delta)(found[name], value)
        for name, value in expected.items()
        if name in found
    }


def max_delta(
    session: Session, images: UInt8Array, expected: Mapping[str, Float32Array], scores: str
) -> float:
    """The largest of `deltas` of what a session gives."""
    return max(deltas(session.run(images), expected, scores).values())


def agrees(found: Mapping[str, float], scores: str, tolerance: float) -> bool:
    """Whether all of `deltas` are small.

    Args:
        found: From `deltas`.
        scores: The name of the output that the tolerance is for.
        tolerance: For the scores; other outputs are held to it too, and to a hundredth at most.
    """
    return all(
        delta <= (tolerance if name == scores else min(tolerance, _HALF))
        for name, delta in found.items()
    )


def scaled_delta(found: Float32Array, expected: Float32Array) -> float:
    """The largest |difference|, in units of the largest number expected where that is above 1."""
    return _delta(found, expected) / max(1.0, float(np.abs(expected).max(initial=0.0)))


def check_deltas(
    name: str, backend: str, found: Mapping[str, float], scores: str, tolerance: float
) -> None:
    """Refuse a variant that is not the same function as the source.

    Raises:
        SightlineError: MODEL_VARIANTS_DISAGREE.
    """
    if not agrees(found, scores, tolerance):
        raise SightlineError(
            "MODEL_VARIANTS_DISAGREE",
            f"the {backend} variant of {name} differs from the source by "
            f"{max(found.values()):.3g} on the golden batch; at most {tolerance:.3g} is allowed. "
            "It is not the same function.",
        )


def _delta(one: Float32Array, other: Float32Array) -> float:
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    return float(np.abs(one.astype(np.float64) - other).max(initial=0.0))
