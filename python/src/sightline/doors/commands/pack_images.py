"""`sightline pack-images`: its options, and what it prints at the end."""

from __future__ import annotations

import json
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.engine.spec import DEFAULT_MAX_IMAGE_BYTES
from sightline.errors import WrongUseError
from sightline.version import __version__

if TYPE_CHECKING:
    from sightline.source.list_images import ImageSource
    from sightline.source.write_packed import PackedCounts

_AT_LEAST_1 = click.IntRange(min=1)
_PATH = click.Path(path_type=Path)


@click.command(name="pack-images")
@click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths.")
@click.option(
    "--output", required=True, type=_PATH, help="Table to make, a name that ends in .parquet."
)
@click.option(
    "--labels",
    type=click.Choice(["auto", "folder", "none"]),
    default="auto",
    show_default=True,
    help="True labels: a table's column, or the image's folder.",
)
@click.option("--path-column", help="Of a table; default: path, image_path or file.")
@click.option("--label-column", help="Of a table; default: label, actual_class or class.")
@click.option("--label-id-column", help="Of a table; default: class_id, actual_class_id, label_id.")
@click.option("--root", type=_PATH, help="Of a table's relative paths; default: its folder.")
@click.option("--overwrite", is_flag=True, help="Replace --output if it is there.")
@click.option("--limit", type=_AT_LEAST_1, help="Only the first N images.")
@click.option(
    "--max-image-bytes", type=_AT_LEAST_1, default=DEFAULT_MAX_IMAGE_BYTES, show_default=True
)
def pack_images(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Write images into one Parquet table, which is read faster than small files.

    \b
    Example:
      sightline pack-images --images photos/ --output photos.parquet
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    output: Path = options["output"]
    if output.suffix != ".parquet":
        message = f"'{output}' does not end in .parquet, by which a table is known."
        raise WrongUseError("WRONG_USE", f"--output {message}")
    if Path(options["images"]).absolute().is_relative_to(output.absolute()):
        message = f"{output} holds the images. Choose another --output."
        raise WrongUseError("OUTPUT_EXISTS", message)
    started = time.time()
    counts = _pack(_source(options), output, options)
    _print_summary(counts, output, time.time() - started)


def _source(given: dict[str, Any]) -> ImageSource:
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.source.list_images import ImageSource
    from sightline.source.list_table import TableColumns

    columns = TableColumns(
        given["path_column"],
        given["label_column"],
        given["label_id_column"],
        use_labels=given["labels"] != "none",
    )
    return ImageSource(given["images"], given["labels"], columns, given["root"], given["limit"])


def _pack(source: ImageSource, output: Path, given: dict[str, Any]) -> PackedCounts:
    from tqdm import tqdm

    from sightline.publish import publish_folder
    from sightline.source.list_images import list_images
    from sightline.source.write_packed import PackedCounts, write_packed

    started = time.time()
    message = f"{output} exists. Choose another --output, or add --overwrite."
    there = None if given["overwrite"] else WrongUseError("OUTPUT_EXISTS", message)
    if there is not None and output.exists():
        raise there
    listing = list_images(source)
    counts = PackedCounts()
    with publish_folder(output, there) as folder:
        with tqdm(total=len(listing), unit=" images", disable=None, mininterval=0.5) as progress:
            for counts in write_packed(listing, folder, given["max_image_bytes"]):
                progress.update(counts.images - progress.n)
        _write_run_record(folder, given, counts, started)
    return counts


def _write_run_record(
    folder: Path, given: dict[str, Any], counts: PackedCounts, started: float
) -> None:
    record = {
        "command": "pack-images",
        "version": __version__,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": {"pack": round(time.time() - started, 4)},
        "arguments": given,
        "counts": {"images": counts.images, "bytes": counts.bytes, "errors": counts.errors},
    }
    (folder / "_run").mkdir()
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"
    (folder / "_run" / "run.json").write_text(text, "utf-8")


def _print_summary(counts: PackedCounts, output: Path, seconds: float) -> None:
    kinds = ", ".join(f"{code} {count}" for code, count in sorted(counts.errors.items()))
    click.echo(f"images     {counts.images}")
    click.echo(f"bytes      {counts.bytes}")
    click.echo(f"errors     {sum(counts.errors.values())}" + (f" ({kinds})" if kinds else ""))
    click.echo(f"speed      {counts.images / seconds if seconds else 0.0:.1f} images/s")
    click.echo(f"output     {output}")
    shown = shlex.quote(str(output))
    click.echo(f"next       sightline predict --images {shown} --model MODEL --output predictions")
