"""Packages that only `models add` needs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

from sightline.errors import WrongUseError


def require_packages(packages: Sequence[str]) -> None:
    """Check that they are installed; imports nothing.

    Raises:
        WrongUseError: MISSING_PACKAGE, naming those that are not.
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"models add needs {', '.join(missing)}, which {sys.executable} does not have. "
            "Install with: pip install 'sightline[add,cpu,torch]'.",
        )
