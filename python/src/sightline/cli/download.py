"""`sightline download`."""

from __future__ import annotations

from typing import Any

import click

from sightline.cli.options import PATH
from sightline.cli.transfer_options import remote_folder, run_copy, store_options


@click.command(name="download")
@click.option("--source", required=True, help="Folder in a bucket: gs://…, s3://… or s3a://….")
@click.option("--output", required=True, type=PATH, help="Local folder to write.")
@store_options
def download(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Copy a folder of an object store to this machine.

    Each file is checked by the hash that the store has. Run the command again to continue after an
    interruption: files that are there and equal are not copied again.

    \b
    Example:
      sightline download --source gs://BUCKET/flowers --output flowers/
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    from sightline.transfer.copy_files import download

    remote, folder = remote_folder(options["source"], options), options["output"]
    run_copy(lambda show: download(remote, folder, options["workers"], show), str(folder))
