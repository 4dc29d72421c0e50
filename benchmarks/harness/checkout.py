"""Paths of the checkout that the benchmark belongs to."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import WrongUseError

REPOSITORY = Path(__file__).resolve().parents[2]
BENCHMARKS = REPOSITORY / "benchmarks"
CONTENDERS = BENCHMARKS / "contenders"
JAR = REPOSITORY / "dist/sightline.jar"
MODELS = REPOSITORY / "models"


def shared_data() -> Path:
    """Return the folder of the real test images; it may be absent.

    SIGHTLINE_SHARED names its parent. The default is ``shared`` beside the checkout.
    """
    return Path(os.environ.get("SIGHTLINE_SHARED", REPOSITORY.parent / "shared")) / "data"


def require_jar(jar: Path = JAR) -> None:
    """Check that the jar was built.

    Raises:
        WrongUseError: NO_JAR.
    """
    if not jar.is_file():
        raise WrongUseError("NO_JAR", f"{jar} is missing. Run `make setup`.")
