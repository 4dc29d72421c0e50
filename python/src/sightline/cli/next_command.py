"""The `spark-submit` line that a command prints as the next step."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

import sightline


def next_command(command: str, **options: Path | str) -> None:
    """Print a command of the jar that can be pasted into a shell.

    Args:
        command: Its name, such as ``evaluate``.
        options: Its options without dashes, and their values.
    """
    jar, here = find_jar(), Path.cwd()
    shown = str(jar.relative_to(here) if jar.is_relative_to(here) else jar)
    words = [shown, command]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    click.echo(f"next       spark-submit {shlex.join(words)}")


def find_jar(package: Path | None = None) -> Path:
    """Return the path of the Spark application, which may not exist.

    Args:
        package: Folder of an installed `sightline` package; None for this one.

    Returns:
        The jar inside an installed wheel, or ``dist/sightline.jar`` of a source checkout.
    """
    package = package or Path(sightline.__file__).parent
    carried = package / "jars" / "sightline.jar"
    is_checkout = package.parts[-3:] == ("python", "src", "sightline")
    if carried.exists() or not is_checkout:
        return carried
    return package.parents[2] / "dist" / "sightline.jar"
