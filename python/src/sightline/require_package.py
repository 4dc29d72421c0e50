"""Check that optional packages are installed before a command needs them."""

from __future__ import annotations

import importlib.util
import sys

from sightline.errors import WrongUseError


def has_package(package: str) -> bool:
    """Whether a package is installed; `a.b` is not if `a` is missing. Does not import it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ModuleNotFoundError, ValueError):  # the package that contains it, or a broken one
        return False


def require_package(*packages: str, install: str, purpose: str) -> None:
    """Raise an error if a package is not installed. Imports nothing.

    Args:
        packages: Import names, such as ``matplotlib``.
        install: What pip installs to provide them, such as ``sightline[report]``.
        purpose: What needs them, as the subject of a sentence: ``backend openvino``.

    Raises:
        WrongUseError: MISSING_PACKAGE, with every missing package, this interpreter and the
            command that installs them.
    """
    missing = [package for package in packages if not has_package(package)]
    if missing:
        noun = "package" if len(missing) == 1 else "packages"
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"{purpose} needs the {noun} {', '.join(missing)}, which {sys.executable} does not "
            f"have. Install with: pip install '{install}'.",
        )
