"""The declarations of backends: the built-in ones and those of installed packages.

This module imports neither numpy nor a runtime, because the preflight reads it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sightline.bundle.calibration import PRECISIONS, Precision
from sightline.errors import WrongUseError
from sightline.extensions import Group, extension_names, load_extension
from sightline.require_package import has_package, require_package

if TYPE_CHECKING:
    from sightline.backends.backend import Backend


@dataclass(frozen=True)
class BackendEntry:
    """The declaration of a backend, read before its runtime is imported.

    The entry point of a third-party backend, in the group `sightline.backends`, names one of
    these. The module that holds it should import nothing heavy: the preflight imports it.

    Args:
        name: Name for `--backend`.
        package: Import name of the required runtime, such as ``onnxruntime``.
        install: Argument of ``pip install`` that installs the runtime.
        variant: The variant of a bundle that it reads: ``onnx``, ``pytorch``, or its own name in
            `variants` of model.json.
        precisions: Supported precisions, fp32 first.
        load: Imports the runtime and returns the backend.
        devices: Supported devices.
    """

    name: str
    package: str
    install: str
    variant: str
    precisions: tuple[Precision, ...]
    load: Callable[[], Backend]
    devices: tuple[Literal["cpu", "cuda"], ...] = ("cpu", "cuda")


_GROUP: Group = "sightline.backends"


def _module(name: str) -> Callable[[], Backend]:
    def load() -> Backend:
        backend: Backend = importlib.import_module(name).BACKEND
        return backend

    return load


# This is a table because the zip that the jar sends to its workers has no entry points.
_BUILT_IN = {
    entry.name: entry
    for entry in (
        BackendEntry(
            "onnx",
            "onnxruntime",
            "sightline[cpu]",
            "onnx",
            ("fp32", "int8"),
            _module("sightline.backends.onnx"),
        ),
        BackendEntry(
            "pytorch",
            "torch",
            "sightline[torch]",
            "pytorch",
            ("fp32", "bf16"),
            _module("sightline.backends.pytorch"),
        ),
        BackendEntry(
            "openvino",
            "openvino",
            "sightline[openvino]",
            "onnx",
            PRECISIONS,
            _module("sightline.backends.openvino"),
            devices=("cpu",),
        ),
        BackendEntry(
            "python",
            "numpy",
            "sightline",
            "python",
            ("fp32",),
            _module("sightline.backends.python"),
            devices=("cpu",),
        ),
    )
}


def built_in_entries() -> dict[str, BackendEntry]:
    """Return the entries of the backends of this package by name, the default first."""
    return dict(_BUILT_IN)


def known_backends() -> tuple[str, ...]:
    """Return every backend's name, the default first, those of installed packages last."""
    others = (name for name in extension_names(_GROUP) if name not in _BUILT_IN)
    return (*_BUILT_IN, *others)


def backend_entry(name: str) -> BackendEntry:
    """Return the declaration of the backend with that name.

    Raises:
        WrongUseError: UNKNOWN_BACKEND with the known names, or BROKEN_EXTENSION.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    known = known_backends()
    if name not in known:
        raise WrongUseError("UNKNOWN_BACKEND", f"'{name}'. Known: {', '.join(known)}.")
    entry = load_extension(_GROUP, name)
    if not isinstance(entry, BackendEntry) or entry.name != name:
        raise WrongUseError(
            "BROKEN_EXTENSION",
            f"the entry point '{name}' of {_GROUP} is {entry!r:.100}, not a BackendEntry with "
            "that name. Fix or uninstall its package.",
        )
    return entry


def has_runtime(name: str) -> bool:
    """Whether the package that the backend needs is installed. It is not imported."""
    return has_package(backend_entry(name).package)


def find_backend(name: str) -> Backend:
    """Import and return the backend of that name.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, BROKEN_EXTENSION, or MISSING_PACKAGE if its runtime is not
            installed.
    """
    entry = backend_entry(name)
    require_package(entry.package, install=entry.install, purpose=f"backend {name}")
    return entry.load()
