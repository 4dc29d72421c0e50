"""Where the Spark application is."""

from __future__ import annotations

from pathlib import Path

import sightline


def find_jar(package: Path | None = None) -> Path:
    """The jar that the installed wheel carries, else the one that the checkout builds.

    Args:
        package: The folder of the package; None: that of this one.
    """
    package = package or Path(sightline.__file__).parent
    carried = package / "jars" / "sightline.jar"
    is_checkout = package.parts[-3:] == ("python", "src", "sightline")
    if carried.exists() or not is_checkout:
        return carried
    return package.parents[2] / "dist" / "sightline.jar"
