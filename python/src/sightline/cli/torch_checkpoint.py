"""`sightline checkpoint`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sightline.cli.options import OVERWRITE_HELP, PATH
from sightline.cli.transfer_options import access_options
from sightline.errors import WrongUseError
from sightline.require_package import require_package
from sightline.wrong_option import invalid_option

_SUFFIXES = (".pth", ".pt")


@click.command(name="checkpoint")
@click.argument("run")
@click.option("--output", required=True, type=PATH, help="File to write: NAME.pth or NAME.pt.")
@click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP)
@access_options
def checkpoint(run: str, output: Path, overwrite: bool, **given: Any) -> None:  # noqa: ANN401, FBT001
    """Write a checkpoint of train as a .pth file for PyTorch.

    RUN is the output of train, a folder of checkpoints, or one checkpoint; a path, gs://… or s3://….
    Of several checkpoints the best is taken, from which train makes its model too.

    The file is a state dict: network.load_state_dict(torch.load("NAME.pth", weights_only=True)).

    \b
    Example:
      sightline checkpoint flowers_run --output flowers.pth
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    require_package("torch", "safetensors", install="sightline[train]", purpose="checkpoint")
    if output.suffix not in _SUFFIXES:
        raise invalid_option("--output", str(output), f"It must end in {' or '.join(_SUFFIXES)}.")
    if output.is_dir():
        raise invalid_option("--output", str(output), "It is a folder.")
    if output.exists() and not overwrite:
        message = f"{output} exists. Choose another --output, or add --overwrite."
        raise WrongUseError("OUTPUT_EXISTS", message)
    # Imported here because `--help` must not load torch.
    from sightline.train.find_checkpoint import find_checkpoint, save_state_dict
    from sightline.train.storage import Storage
    from sightline.transfer.remote_folder import StoreAccess

    access = StoreAccess(given["credentials"], given["endpoint"], given["region"])
    found = find_checkpoint(Storage(run, access))
    save_state_dict(found, output)
    state = found.state
    click.echo(f"checkpoint {found.name}, {len(state.history)} epochs")
    click.echo(f"network    {state.settings['architecture']}, {len(state.labels)} classes")
    click.echo(f"output     {output} ({output.stat().st_size / 1e6:.1f} MB)")
