"""The modes that `models calibrate` measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.backends.registry import has_runtime
from sightline.backends.require_supported import (
    backends_of,
    precisions_of,
    require_supported,
    require_variant,
)
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.errors import WrongUseError


@dataclass(frozen=True, slots=True)
class CalibratedMode:
    """A combination of backend and precision."""

    backend: str
    precision: Precision

    def __str__(self) -> str:
        return f"{self.backend} {self.precision}"


def reference_mode(bundle: Bundle) -> CalibratedMode:
    """Return the reference mode of comparisons: fp32, in ONNX if available.

    Args:
        bundle: A bundle that at least one known backend can run.
    """
    return CalibratedMode(backends_of(bundle)[0], "fp32")


def modes_to_measure(
    bundle: Bundle, backends: Sequence[str], precisions: Sequence[Precision]
) -> list[CalibratedMode]:
    """Return the combinations that the backends support, without the reference mode.

    Args:
        bundle: The bundle to measure.
        backends: Names of backends; empty for all installed ones that can run the bundle.
        precisions: At least one precision.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, NO_VARIANT, UNSUPPORTED_PRECISION, or NOTHING_TO_MEASURE.
    """
    for backend in backends:
        require_variant(bundle, backend)
    chosen = backends or [one for one in backends_of(bundle) if has_runtime(one)]
    modes = [
        CalibratedMode(backend, precision)
        for backend in chosen
        for precision in precisions
        if precision in precisions_of(backend) and precision != "fp32"
    ]
    if modes:
        return modes
    for backend in chosen:
        for precision in precisions:
            require_supported(backend, precision)
    raise WrongUseError(
        "NOTHING_TO_MEASURE",
        "fp32 is the reference of all comparisons. Give --precision bf16,int8.",
    )
