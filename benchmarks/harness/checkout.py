"""The repository that this Sightline runs from."""

from __future__ import annotations

from pathlib import Path

import sightline
from sightline.errors import WrongUseError


def find_checkout() -> Path:
    """The checkout's root, which holds the contenders, the jar and the models.

    Raises:
        WrongUseError: NO_CHECKOUT if this Sightline is an installed one.
    """
    package = Path(sightline.__file__).parent
    root = package.parents[2]
    if package.parts[-3:] != ("python", "src", "sightline") or not (root / "benchmarks").is_dir():
        raise WrongUseError(
            "NO_CHECKOUT",
            f"the benchmark runs from a checkout of the repository, and {package} is not in one. "
            "Run `make bench` there.",
        )
    return root
