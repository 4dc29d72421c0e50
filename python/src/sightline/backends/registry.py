"""The known backends, by name; a runtime is imported when it is first asked for."""

from __future__ import annotations

import importlib
import importlib.util
import sys

from sightline.backends.protocol import Backend
from sightline.bundle.bundle import Bundle
from sightline.errors import WrongUseError

# Backend: the module with its `BACKEND`, the package it needs, the extra that installs that.
_KNOWN = {
    "onnx": ("sightline.backends.onnx", "onnxruntime", "cpu"),
    "pytorch": ("sightline.backends.pytorch", "torch", "torch"),
}


def known_backends() -> tuple[str, ...]:
    """Every backend's name, the default one first."""
    return tuple(_KNOWN)


def has_runtime(name: str) -> bool:
    """Whether the package that the backend needs is installed; imports nothing."""
    return importlib.util.find_spec(_KNOWN[name][1]) is not None


def find_backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, or MISSING_PACKAGE if its runtime is not installed.
    """
    if name not in _KNOWN:
        raise WrongUseError("UNKNOWN_BACKEND", f"'{name}'. Known: {', '.join(_KNOWN)}.")
    module, package, extra = _KNOWN[name]
    if not has_runtime(name):
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"backend {name} needs the package {package}, which {sys.executable} does not have. "
            f"Install it with: pip install 'sightline[{extra}]'.",
        )
    backend: Backend = importlib.import_module(module).BACKEND
    return backend


def require_variant(bundle: Bundle, backend: str) -> None:
    """Check, without loading anything, that the bundle can run on that backend.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, or NO_VARIANT naming what the bundle has.
    """
    if backend not in _KNOWN:
        raise WrongUseError("UNKNOWN_BACKEND", f"'{backend}'. Known: {', '.join(_KNOWN)}.")
    variants = bundle.manifest.variants
    if backend not in variants:
        raise WrongUseError(
            "NO_VARIANT",
            f"model {bundle.name} has no {backend} variant, only {', '.join(variants)}. "
            f"Use --backend {variants[0]}.",
        )
