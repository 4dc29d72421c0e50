"""The `sightline` command: a group whose commands are imported when they are asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from sightline.cli.failure import as_ours
from sightline.errors import SightlineError, WrongUseError
from sightline.version import __version__

# Command: the module and the click command in it, and its line in `sightline --help`.
_COMMANDS = {
    "predict": ("sightline.cli.predict", "Classify images: one row for each."),
    "features": ("sightline.cli.features", "Describe images by a model's features."),
    "pack-images": (
        "sightline.cli.pack_images",
        "Write images into one table, read faster than files.",
    ),
    "subset": ("sightline.cli.subset", "Link a sample of a collection, by label."),
    "models": ("sightline.cli.models", "Add, list, describe and verify bundles."),
    "track": ("sightline.cli.track", "Log a run of pca to an MLflow server."),
    "report": ("sightline.cli.report", "Write a page about a run."),
    "bench": ("sightline.cli.bench", "Measure the cost of an image, beside its raw parts."),
}
_DONE, _WRONG_USE = 0, 2


class _LazyGroup(click.Group):
    """Knows its commands by name; `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            known = ", ".join(_COMMANDS)
            raise WrongUseError("UNKNOWN_COMMAND", f"{args[0]!r}. Known: {known}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_LazyGroup)
@click.version_option(__version__, prog_name="sightline")
def cli() -> None:
    """Vision models over image collections."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; None takes the process's own.

    Returns:
        0 done, 1 the run failed, 2 wrong use. Failures are one line on stderr:
        `sightline: CODE: …`.
    """
    try:
        result = cli.main(
            None if arguments is None else list(arguments), "sightline", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return _WRONG_USE
    except (click.ClickException, click.Abort, SightlineError, OSError, MemoryError) as error:
        told = as_ours(error)
        if told is None:
            raise
        click.echo(" ".join(["sightline:", *str(told).split()]), err=True)
        return told.exit_status
    return result if isinstance(result, int) else _DONE


if __name__ == "__main__":
    sys.exit(main())
