"""The interpreter and the packages that a backend needs."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sightline.backends.registry import backend_entry
from sightline.doctor.finding import Finding
from sightline.doctor.versions import PACKAGES, package_version, pyspark_version
from sightline.errors import SightlineError

if TYPE_CHECKING:
    from sightline.doctor.examine import Request

_NEEDED = ("numpy", "pyarrow", "PIL", "safetensors")


def check(request: Request) -> Iterator[Finding]:
    """Report the interpreter, and check the packages of the backend."""
    python = f"Python {platform.python_version()}, {sys.executable}"
    yield Finding("PYTHON", "ok", python)
    versions = {name: package_version(name, found) for name, found in PACKAGES.items()}
    versions["pyspark"] = pyspark_version()
    present = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding("PACKAGES", "ok", present or "none")
    try:
        entry = backend_entry(request.backend)
    except SightlineError as error:
        yield Finding(error.code, "blocker", error.message, "No run is possible.", "Choose one.")
        return
    versions.setdefault(entry.package, package_version(entry.package, (entry.package,)))
    missing = [name for name in (*_NEEDED, entry.package) if versions[name] is None]
    if missing:
        names = ["pillow" if name == "PIL" else name for name in missing]
        install = [entry.install if one == entry.package else one for one in names]
        yield Finding(
            "MISSING_PACKAGE",
            "blocker",
            f"{sys.executable} has no {', '.join(missing)}",
            f"Backend '{request.backend}' needs {', '.join(missing)}.",
            f"{sys.executable} -m pip install {' '.join(repr(one) for one in install)}",
        )
