"""Check that optional packages are installed before a command needs them."""

from __future__ import annotations

import importlib.util
import sys

from sightline.errors import WrongUseError


def require_package(*packages: str, extra: str, purpose: str) -> None:
    """Raise an error if a package is not installed. Imports nothing.

    Args:
        packages: Import names, such as ``matplotlib``.
        extra: The extra of `sightline` that installs them, such as ``report``; several with
            commas between.
        purpose: What needs them, as the subject of a sentence: ``decoder turbo``.

    Raises:
        WrongUseError: MISSING_PACKAGE, with every missing package, this interpreter and the
            command that installs them.
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        noun = "package" if len(missing) == 1 else "packages"
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"{purpose} needs the {noun} {', '.join(missing)}, which {sys.executable} does not "
            f"have. Install with: pip install 'sightline[{extra}]'.",
        )
