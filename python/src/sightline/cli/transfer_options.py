"""The options and the output that `sightline download` and `sightline upload` share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.options import AT_LEAST_1, add_options

if TYPE_CHECKING:
    from sightline.transfer.copy_files import Counts
    from sightline.transfer.remote_folder import RemoteFolder

_SHOWN = 3  # names of unchecked files

access_options = add_options(
    click.option(
        "--credentials",
        default="auto",
        show_default=True,
        help="auto: what the environment and the machine provide; anonymous; or for gs:// the key "
        "file of a service account.",
    ),
    click.option("--endpoint", help="URL of an emulator, or of a store that is compatible to S3."),
    click.option("--region", help="The bucket's region, for S3."),
)

store_options = add_options(
    click.option(
        "--workers",
        type=AT_LEAST_1,
        default=8,
        show_default=True,
        help="Files that are copied at the same time.",
    ),
    access_options,
)


def remote_folder(uri: str, given: dict[str, Any]) -> RemoteFolder:
    """Return the folder that the options name."""
    # Imported here because `--help` must not load pyarrow.
    from sightline.transfer.remote_folder import RemoteFolder, StoreAccess

    access = StoreAccess(given["credentials"], given["endpoint"], given["region"])
    return RemoteFolder.open(uri, access)


def run_copy(copy: Callable[[Callable[[int, int], None]], Counts], output: str) -> None:
    """Run a copy with a progress bar, and print its counts."""
    from tqdm import tqdm

    started = time.time()
    with tqdm(unit="B", unit_scale=True, disable=None, mininterval=0.5) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        counts = copy(show)
    seconds = time.time() - started
    click.echo(f"copied     {counts.copied} files, {counts.bytes} bytes")
    click.echo(f"present    {counts.present} files with the same content")
    if counts.unchecked:
        names = sorted(counts.unchecked)
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        click.echo(
            f"unchecked  {len(names)} files: the store has no MD5 of them, so only their sizes "
            f"were compared ({shown})"
        )
    if counts.read_twice:
        click.echo(
            f"read twice {counts.read_twice} files: their hash in the store could not be compared, "
            "and two downloads of each are equal"
        )
    click.echo(f"seconds    {seconds:.1f}")
    click.echo(f"output     {output}")
