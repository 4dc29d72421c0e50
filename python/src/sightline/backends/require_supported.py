"""The backends and precisions in which a bundle can run."""

from __future__ import annotations

from sightline.backends.registry import backend_entry, built_in_entries, known_backends
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import PRECISIONS, Precision
from sightline.errors import WrongUseError


def backends_of_variant(variant: str) -> tuple[str, ...]:
    """Return the backends that read the variant, including those that are not installed.

    Raises:
        WrongUseError: BROKEN_EXTENSION, only if no built-in backend reads it.
    """
    found = tuple(name for name, entry in built_in_entries().items() if entry.variant == variant)
    if found:
        return found
    others = [name for name in known_backends() if name not in built_in_entries()]
    return tuple(name for name in others if backend_entry(name).variant == variant)


def backends_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the backends that can run this bundle, including those that are not installed."""
    variants = bundle.manifest.variants
    built_in = [name for name, entry in built_in_entries().items() if entry.variant in variants]
    others = [name for variant in variants for name in backends_of_variant(variant)]
    return tuple(dict.fromkeys([*built_in, *others]))


def variant_of(backend: str) -> str:
    """Return the variant that the backend reads."""
    return backend_entry(backend).variant


def precisions_of(backend: str) -> tuple[Precision, ...]:
    """Return the precisions that the backend supports, fp32 first."""
    return backend_entry(backend).precisions


def require_variant(bundle: Bundle, backend: str) -> None:
    """Check, without loading anything, that the bundle can run on that backend.

    Raises:
        WrongUseError: UNKNOWN_BACKEND; NO_VARIANT with the variants of the bundle.
    """
    wanted = backend_entry(backend).variant
    variants = bundle.manifest.variants
    if wanted not in variants:
        able = " or ".join(backends_of(bundle))
        hint = f"Use --backend {able}." if able else "No installed backend reads it."
        raise WrongUseError(
            "NO_VARIANT",
            f"model {bundle.name} has no {wanted} variant, only {', '.join(variants)}. {hint}",
        )


def require_supported(backend: str, precision: str) -> None:
    """Check that the backend can compute in that precision.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, UNKNOWN_PRECISION or UNSUPPORTED_PRECISION.
    """
    if precision not in PRECISIONS:
        raise WrongUseError("UNKNOWN_PRECISION", f"'{precision}'. Known: {', '.join(PRECISIONS)}.")
    able = backend_entry(backend).precisions
    if precision not in able:
        others = [
            name for name, entry in built_in_entries().items() if precision in entry.precisions
        ]
        raise WrongUseError(
            "UNSUPPORTED_PRECISION",
            f"backend {backend} does not compute in {precision}, only in {', '.join(able)}. "
            f"Use one of those, or --backend {' or '.join(others)}.",
        )


def require_precision(bundle: Bundle, backend: str, precision: str) -> None:
    """Check that this mode was calibrated, unless it is fp32.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, UNKNOWN_PRECISION or UNSUPPORTED_PRECISION; NOT_CALIBRATED
            with the command that measures the mode.
    """
    require_supported(backend, precision)
    if precision == "fp32" or bundle.manifest.calibration_of(backend, precision) is not None:
        return
    known = ", ".join(f"'{one.mode}'" for one in bundle.manifest.calibration) or "none"
    raise WrongUseError(
        "NOT_CALIBRATED",
        f"model {bundle.name} has no calibration for '{backend} {precision}'; "
        f"calibrated: {known}. Measure it: sightline models calibrate "
        f"{bundle.name} --images PHOTOGRAPHS --backend {backend} --precision {precision} "
        "--overwrite.",
    )
