"""The known backends by name. A runtime is imported at its first use."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass

from sightline.backends.backend import Backend
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import PRECISIONS, Precision
from sightline.errors import WrongUseError


@dataclass(frozen=True)
class _Runtime:
    """A backend's module, its package, the extra that installs it, its variant and precisions."""

    module: str
    package: str
    extra: str
    variant: str
    precisions: tuple[Precision, ...]


_KNOWN = {
    "onnx": _Runtime("sightline.backends.onnx", "onnxruntime", "cpu", "onnx", ("fp32", "int8")),
    "pytorch": _Runtime(
        "sightline.backends.pytorch", "torch", "torch", "pytorch", ("fp32", "bf16")
    ),
    "openvino": _Runtime("sightline.backends.openvino", "openvino", "openvino", "onnx", PRECISIONS),
}


def known_backends() -> tuple[str, ...]:
    """Return every backend's name, the default first."""
    return tuple(_KNOWN)


def backends_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the backends that can run this bundle, including those not installed."""
    variants = bundle.manifest.variants
    return tuple(name for name, runtime in _KNOWN.items() if runtime.variant in variants)


def precisions_of(backend: str) -> tuple[Precision, ...]:
    """Return the precisions that the backend supports, fp32 first."""
    return _runtime(backend).precisions


def has_runtime(name: str) -> bool:
    """Whether the package that the backend needs is installed; imports nothing."""
    return importlib.util.find_spec(_KNOWN[name].package) is not None


def find_backend(name: str) -> Backend:
    """Import and return the backend of that name.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, or MISSING_PACKAGE if its runtime is not installed.
    """
    runtime = _runtime(name)
    if not has_runtime(name):
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"backend {name} needs the package {runtime.package}, which {sys.executable} does not "
            f"have. Install it with: pip install 'sightline[{runtime.extra}]'.",
        )
    backend: Backend = importlib.import_module(runtime.module).BACKEND
    return backend


def require_variant(bundle: Bundle, backend: str) -> None:
    """Check, without loading anything, that the bundle can run on that backend.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, or NO_VARIANT naming what the bundle has.
    """
    wanted = _runtime(backend).variant
    variants = bundle.manifest.variants
    if wanted not in variants:
        raise WrongUseError(
            "NO_VARIANT",
            f"model {bundle.name} has no {wanted} variant, only {', '.join(variants)}. "
            f"Use --backend {variants[0]}.",
        )


def require_supported(backend: str, precision: str) -> None:
    """Check that the backend can compute in that precision.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, UNKNOWN_PRECISION or UNSUPPORTED_PRECISION.
    """
    if precision not in PRECISIONS:
        raise WrongUseError("UNKNOWN_PRECISION", f"'{precision}'. Known: {', '.join(PRECISIONS)}.")
    able = _runtime(backend).precisions
    if precision not in able:
        others = [name for name, runtime in _KNOWN.items() if precision in runtime.precisions]
        raise WrongUseError(
            "UNSUPPORTED_PRECISION",
            f"backend {backend} does not compute in {precision}, only in {', '.join(able)}. "
            f"Use one of those, or --backend {' or '.join(others)}.",
        )


def require_precision(bundle: Bundle, backend: str, precision: str, decoder: str) -> None:
    """Check that this mode was calibrated, if it changes the model's numbers.

    fp32 needs no calibration, unless the decoder is `scaled`, which gives other pixels.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, UNKNOWN_PRECISION, UNSUPPORTED_PRECISION, or NOT_CALIBRATED
            with the command that measures it.
    """
    require_supported(backend, precision)
    decoder = "pillow" if decoder == "turbo" else decoder  # the same pixels, bit for bit
    if precision == "fp32" and decoder != "scaled":
        return
    if bundle.manifest.calibration_of(backend, precision, decoder) is not None:
        return
    known = ", ".join(f"'{one.mode}'" for one in bundle.manifest.calibration) or "none"
    raise WrongUseError(
        "NOT_CALIBRATED",
        f"model {bundle.name} has no calibration for '{backend} {precision} {decoder}'; "
        f"calibrated: {known}. Measure it: sightline models calibrate "
        f"{bundle.name} --images PHOTOGRAPHS --backend {backend} --precision {precision} "
        f"--decoder {decoder} --overwrite.",
    )


def _runtime(name: str) -> _Runtime:
    if name not in _KNOWN:
        raise WrongUseError("UNKNOWN_BACKEND", f"'{name}'. Known: {', '.join(_KNOWN)}.")
    return _KNOWN[name]
