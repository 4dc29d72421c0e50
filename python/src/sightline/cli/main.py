"""The `sightline` command. A subcommand's module is imported when the subcommand runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from sightline.cli.failure import as_sightline_error
from sightline.errors import SightlineError, WrongUseError
from sightline.version import __version__

# Subcommand: its module, and its line in `sightline --help`.
_COMMANDS = {
    "predict": ("sightline.cli.predict", "Classify images."),
    "features": ("sightline.cli.features", "Compute a feature vector for each image."),
    "pack-images": ("sightline.cli.pack_images", "Copy images into one Parquet table."),
    "subset": ("sightline.cli.subset", "Draw a sample of an image collection, as links."),
    "download": ("sightline.cli.download", "Copy a folder of a bucket to this machine."),
    "upload": ("sightline.cli.upload", "Copy a local folder to a bucket."),
    "models": ("sightline.cli.models", "Add, calibrate, list, describe and verify models."),
    "train": ("sightline.cli.train", "Train an image classifier, and make a model of it."),
    "checkpoint": (
        "sightline.cli.torch_checkpoint",
        "Write a checkpoint of train for PyTorch (.pth).",
    ),
    "tune": ("sightline.cli.tune", "Search for the best classifier on a model's features."),
    "track": ("sightline.cli.track", "Log a run of pca or train to an MLflow server."),
    "report": ("sightline.cli.report", "Write an HTML page about a run."),
    "doctor": ("sightline.cli.doctor", "Check a set-up, with a fix for each finding."),
    "pack": ("sightline.cli.pack", "Pack the Python environment for executors."),
    "gpu-discovery": ("sightline.cli.gpu_discovery", "Write Spark's script that finds GPUs."),
    "bench": ("sightline.cli.bench", "Measure the cost of an image, beside its raw parts."),
}
_DONE, _WRONG_USE = 0, 2


class _LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

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
    """Run vision models over image collections."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; None for those of the process.

    Returns:
        Exit status: 0 for success, 1 if the run failed, 2 for wrong use. An error is one line on
        stderr: `sightline: CODE: …`.
    """
    try:
        result = cli.main(
            None if arguments is None else list(arguments), "sightline", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return _WRONG_USE
    except (click.ClickException, click.Abort, SightlineError, OSError, MemoryError) as error:
        shown = as_sightline_error(error)
        if shown is None:
            raise
        click.echo(" ".join(["sightline:", *str(shown).split()]), err=True)
        return shown.exit_status
    return result if isinstance(result, int) else _DONE


if __name__ == "__main__":
    sys.exit(main())
