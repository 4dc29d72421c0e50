"""`sightline pack-images`."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.options import IMAGES_HELP, OVERWRITE_HELP, PATH, image_options, image_source
from sightline.errors import WrongUseError
from sightline.publish import check_output, publish_folder, require_replaceable
from sightline.standalone.run_record import write_run_json
from sightline.wrong_option import invalid_option

if TYPE_CHECKING:
    from sightline.source.write_packed import PackedCounts


@click.command(name="pack-images")
@click.option("--images", required=True, help=IMAGES_HELP)
@click.option(
    "--output", required=True, type=PATH, help="Table to write; its name must end in .parquet."
)
@image_options
@click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP)
def pack_images(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Copy images into one Parquet table.

    On an object store, one large table is read much faster than many small files. `predict` and
    `features` take the table as --images.

    \b
    Example:
      sightline pack-images --images photos/ --output photos.parquet
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    output: Path = options["output"]
    if output.suffix != ".parquet":
        raise invalid_option("--output", output, "The table's name must end in .parquet.")
    reads = [path for path in (options["images"], options["root"]) if path is not None]
    exists = check_output(output, reads, overwrite=options["overwrite"])
    started = time.time()
    counts = _pack(output, exists, options)
    _print_summary(counts, output, time.time() - started)


def _pack(output: Path, exists: WrongUseError | None, given: dict[str, Any]) -> PackedCounts:
    # Imported here because `--help` must not load numpy and pyarrow.
    from tqdm import tqdm

    from sightline.source.list_images import list_images
    from sightline.source.write_packed import PackedCounts, write_packed

    started = time.time()
    listing = list_images(image_source(given))
    counts = PackedCounts()
    if exists is None:
        # Also the files that a table of bytes names: replacing must delete none of them.
        require_replaceable(output, listing.files)
    with publish_folder(output, exists, settled=True) as folder:
        with tqdm(total=len(listing), unit=" images", disable=None, mininterval=0.5) as progress:
            for counts in write_packed(listing, folder, given["max_image_bytes"]):
                progress.update(counts.images - progress.n)
        facts = {
            "seconds": {"pack": round(time.time() - started, 4)},
            "arguments": given,
            "counts": {"images": counts.images, "bytes": counts.bytes, "errors": counts.errors},
        }
        write_run_json(folder, "pack-images", started, facts)
    return counts


def _print_summary(counts: PackedCounts, output: Path, seconds: float) -> None:
    kinds = ", ".join(f"{code} {count}" for code, count in sorted(counts.errors.items()))
    click.echo(f"images     {counts.images}")
    click.echo(f"bytes      {counts.bytes}")
    click.echo(f"errors     {sum(counts.errors.values())}" + (f" ({kinds})" if kinds else ""))
    click.echo(f"speed      {counts.images / seconds if seconds else 0.0:.1f} images/s")
    click.echo(f"output     {output}")
    shown = shlex.quote(str(output))
    click.echo(f"next       sightline predict --images {shown} --model MODEL --output predictions")
