"""`sightline upload`."""

from __future__ import annotations

from typing import Any

import click

from sightline.cli.options import PATH
from sightline.cli.transfer_options import remote_folder, run_copy, store_options


@click.command(name="upload")
@click.option("--source", required=True, type=PATH, help="Local folder.")
@click.option("--output", required=True, help="Folder in a bucket: gs://…, s3://… or s3a://….")
@store_options
def upload(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Copy a local folder to an object store.

    Each file is checked by the hash that the store has. Run the command again to continue after an
    interruption: objects that are there and equal are not copied again. `_SUCCESS` is copied last.

    \b
    Example:
      sightline upload --source models/ --output gs://BUCKET/models
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    from sightline.transfer.copy_files import upload

    remote, folder = remote_folder(options["output"], options), options["source"]
    run_copy(lambda show: upload(folder, remote, options["workers"], show), options["output"])
