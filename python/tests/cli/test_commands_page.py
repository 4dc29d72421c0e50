"""docs/commands.md has the help of every command of the package; CommandsPageSuite: the jar."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import click

from sightline.cli.main import cli

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "commands.md"
OF_THE_PACKAGE = "## The Python package"


def options(command: click.Command, name: str) -> Iterator[tuple[str, click.Option]]:
    """Each option of a command and of its subcommands, with the command's full name."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield name, parameter
    if isinstance(command, click.Group):
        context = click.Context(command)
        for member in command.list_commands(context):
            found = command.get_command(context, member)
            assert found is not None
            yield from options(found, f"{name} {member}")


def test_the_commands_page_has_the_help_of_every_command_as_it_is_printed() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "commands_page.py"))
    page = PAGE.read_text("utf-8")
    written = page[page.index(OF_THE_PACKAGE) :]
    expected = made["OF_THE_PACKAGE"] + "\n" + made["rendered"](made["sections_of_package"]())
    assert written == expected, "run: make setup && .venv/bin/python scripts/commands_page.py"


def test_every_option_is_on_the_page_with_a_description() -> None:
    page = PAGE.read_text("utf-8")
    sections = dict(re.findall(r"^### ([^\n]+)\n\n```text\n(.*?)^```$", page, re.M | re.S))
    found = list(options(cli, "sightline"))
    assert {name for name, _ in found} >= {"sightline predict", "sightline models add"}
    for command, option in found:
        assert option.opts[0] in sections[command], f"{command} {option.opts[0]}"
        assert option.help, f"{command} {option.opts[0]} has no help"
