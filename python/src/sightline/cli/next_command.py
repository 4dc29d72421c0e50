"""What to do with a command's output: a command of the jar."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


def next_command(command: str, **options: Path | str) -> None:
    """Print a line that can be pasted."""
    # Only here: --help must not pay for looking.
    from sightline.standalone.find_jar import find_jar

    jar, here = find_jar(), Path.cwd()
    shown = str(jar.relative_to(here) if jar.is_relative_to(here) else jar)
    words = [shown, command]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    click.echo(f"next       spark-submit {shlex.join(words)}")
