"""Write docs/commands.md from the help texts of both command lines.

Run it after a change of an option: ``make setup && .venv/bin/python scripts/commands_page.py``.
Tests of both languages compare the page with the help texts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
JAR = ROOT / "dist" / "sightline.jar"
PAGE = ROOT / "docs" / "commands.md"
WIDTH = 100

HEAD = """# Commands

<!-- Written by scripts/commands_page.py from the help texts. -->

All commands and their options, as `--help` prints them. The [README](../README.md) has examples of
the commands. [errors.md](errors.md) lists their errors.
"""
OF_THE_JAR = """## The jar: `spark-submit sightline.jar COMMAND`

Options of Spark, such as `--master`, are placed before `sightline.jar`.
"""
OF_THE_PACKAGE = """## The Python package: `sightline COMMAND`

`python -m sightline COMMAND` is the same.
"""


def sections_of_jar() -> dict[str, str]:
    """Return the help texts of the jar's commands, by name."""
    listed = _jar("--help").splitlines()
    names = [line.split()[0] for line in listed if line.startswith("  ")]
    return {name: _jar(name, "--help") for name in names}


def _jar(*arguments: str) -> str:
    submit = ROOT / ".venv" / "bin" / "spark-submit"
    environment = os.environ | {"PATH": f"{submit.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603 - the repository's own jar
        [submit, JAR, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def sections_of_package() -> dict[str, str]:
    """Return the help texts of the package's commands and command groups, by full name."""
    from sightline.cli.main import cli

    return dict(_sections(cli, "sightline", None))


def _sections(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent, name, terminal_width=WIDTH, max_content_width=WIDTH)
    yield context.command_path, context.get_help()
    if isinstance(command, click.Group):
        for member in command.list_commands(context):
            if (found := command.get_command(context, member)) is not None:
                yield from _sections(found, member, context)


def rendered(sections: dict[str, str]) -> str:
    """Return a heading and the help text of each command as Markdown."""
    parts = (f"### {name}\n\n```text\n{text.rstrip()}\n```\n" for name, text in sections.items())
    return "\n".join(parts)


def page(jar: dict[str, str], package: dict[str, str]) -> str:
    """Return the whole page as Markdown."""
    return "\n".join([HEAD, OF_THE_JAR, rendered(jar), OF_THE_PACKAGE, rendered(package)])


if __name__ == "__main__":
    if not JAR.is_file():
        sys.exit(f"{JAR} is missing: run `make setup`.")
    PAGE.write_text(page(sections_of_jar(), sections_of_package()), "utf-8")
