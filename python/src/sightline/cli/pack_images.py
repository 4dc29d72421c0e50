"""`sightline pack-images`: its options, and what it prints at the end."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.image_options import image_options, image_source
from sightline.errors import WrongUseError
from sightline.standalone.check_output import check_output
from sightline.standalone.run_json import write_run_json

if TYPE_CHECKING:
    from sightline.source.write_packed import PackedCounts

_PATH = click.Path(path_type=Path)


@click.command(name="pack-images")
@click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths.")
@click.option(
    "--output", required=True, type=_PATH, help="Table to make, a name that ends in .parquet."
)
@image_options
@click.option("--overwrite", is_flag=True, help="Replace --output if it is there.")
def pack_images(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Write images into one Parquet table, which is read faster than small files.

    \b
    Example:
      sightline pack-images --images photos/ --output photos.parquet
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    output: Path = options["output"]
    if output.suffix != ".parquet":
        message = f"'{output}' does not end in .parquet, by which a table is known."
        raise WrongUseError("INVALID_OPTION", f"--output {message}")
    reads = [path for path in (options["images"], options["root"]) if path is not None]
    there = check_output(output, reads, overwrite=options["overwrite"])
    started = time.time()
    counts = _pack(output, there, options)
    _print_summary(counts, output, time.time() - started)


def _pack(output: Path, there: WrongUseError | None, given: dict[str, Any]) -> PackedCounts:
    # Only here: --help must not pay for numpy and pyarrow.
    from tqdm import tqdm

    from sightline.publish import publish_folder, require_replaceable
    from sightline.source.list_images import list_images
    from sightline.source.write_packed import PackedCounts, write_packed

    started = time.time()
    listing = list_images(image_source(given))
    counts = PackedCounts()
    # The bytes of a table are in it; the files that it names beside them stay as well.
    if there is None:
        require_replaceable(output, listing.files)
    with publish_folder(output, there, settled=True) as folder:
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
