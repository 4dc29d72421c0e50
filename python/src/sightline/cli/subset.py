"""`sightline subset`: its options, and what it prints at the end."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.image_options import file_options
from sightline.cli.share import InRange
from sightline.errors import SightlineError, WrongUseError
from sightline.place import first_in
from sightline.standalone.check_output import check_output
from sightline.standalone.run_json import write_run_json

if TYPE_CHECKING:
    from sightline.source.listing import Listing
    from sightline.source.stratified_sample import Subset

_PATH = click.Path(path_type=Path)
_MANIFEST = "manifest.csv"


@click.command()
@click.option(
    "--percentage",
    required=True,
    type=InRange(0, 100, min_open=True),
    help="Of each label in each split, rounded, but at least one image: 1, 5, 10, 25, 50, …",
)
@click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths.")
@click.option("--output", required=True, type=_PATH, help="Folder to make.")
@click.option(
    "--manifest",
    is_flag=True,
    help=f"Write {_MANIFEST} of absolute paths, not links. A table's sample is always one.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Another seed takes another sample."
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
@click.option("--root", type=_PATH, help="Of a table's relative paths; default: its folder.")
@click.option("--delimiter", help="Of a CSV: one character, or tab; default: a comma.")
@click.option("--encoding", help="Of a CSV: utf-16, windows-1252, …; default: utf-8.")
@file_options
@click.option("--overwrite", is_flag=True, help="Replace --output if it is there.")
def subset(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Make a sample of a collection by links: the same share of each label in each split.

    Nothing is copied: --output gets absolute symbolic links in folders of the same names, so that
    labels and splits stay what they are. It may be moved; the images must stay where they are.
    Samples of one seed are nested: all of 1 % is in 5 %.

    \b
    Examples:
      sightline subset --percentage 10 --images fruits/ --output fruits_10
      sightline subset --percentage 10 --images fruits/ --output fruits_10 --manifest
      sightline subset --percentage 1 --images paths.csv --output paths_1 --seed 7
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    output: Path = options["output"]
    reads = [path for path in (options["images"], options["root"]) if path is not None]
    there = check_output(output, reads, overwrite=options["overwrite"])
    if first_in([output], options["images"]) is not None:
        message = f"{output} is in the folder of the images, which would then hold both."
        raise WrongUseError("WRONG_ARGUMENTS", f"{message} Choose another --output.")
    sample, images = _make(output, there, options)
    _print_summary(sample, output, images)


def _make(output: Path, there: WrongUseError | None, given: dict[str, Any]) -> tuple[Subset, Path]:
    """The sample, and what `--images` takes to read it."""
    # Only here: --help must not pay for numpy and pyarrow.
    from tqdm import tqdm

    from sightline.publish import publish_folder, require_replaceable
    from sightline.source.link_images import link_images
    from sightline.source.stratified_sample import choose_subset
    from sightline.source.write_manifest import write_manifest

    started = time.time()
    listing = _list(given)
    sample = choose_subset(listing, given["percentage"], given["seed"])
    is_manifest = given["manifest"] or listing.root is None
    if there is None:
        require_replaceable(output, listing.files)
    with publish_folder(output, there, settled=True) as folder:
        if is_manifest:
            write_manifest(listing, sample.rows, folder / _MANIFEST)
        else:
            files = [listing.files[row] for row in sample.rows]
            names = [sample.names[row] for row in sample.rows]
            with tqdm(total=len(files), unit=" links", disable=None, mininterval=0.5) as progress:
                for count in link_images(files, names, folder):
                    progress.update(count - progress.n)
        facts = {
            "seconds": {"subset": round(time.time() - started, 4)},
            "arguments": given,
            "counts": {"images_in": len(listing), "images": len(sample.rows)},
            "strata": [
                {
                    "split": stratum.split,
                    "label": stratum.label,
                    "images_in": stratum.images,
                    "images": stratum.chosen,
                }
                for stratum in sample.strata
            ],
        }
        write_run_json(folder, "subset", started, facts)
    return sample, output / _MANIFEST if is_manifest else output


def _list(given: dict[str, Any]) -> Listing:
    from sightline.source.csv_table import parse_dialect
    from sightline.source.list_images import ImageSource, list_images
    from sightline.source.list_table import TableColumns

    columns = TableColumns(
        given["path_column"],
        given["label_column"],
        use_labels=given["labels"] != "none",
        csv=parse_dialect(given["delimiter"], given["encoding"]),
    )
    listing = list_images(
        ImageSource(
            given["images"],
            given["labels"],
            columns,
            given["root"],
            include=given["include"],
            exclude=given["exclude"],
        )
    )
    if listing.packed is not None or listing.read is not None:
        raise WrongUseError(
            "WRONG_ARGUMENTS",
            f"{given['images']} holds the images' bytes, which a sample by links has no part of. "
            "Sample the files, and pack the sample by `sightline pack-images`.",
        )
    for row, error in listing.errors.items():
        # What it holds would be missing in the sample, and nobody would know how much that is.
        raise SightlineError(
            "CANNOT_LIST", f"'{listing.files[row]}' ({error.code}): {error.message}"
        )
    return listing


def _print_summary(sample: Subset, output: Path, images: Path) -> None:
    splits: dict[str, list[int]] = {}
    for stratum in sample.strata:
        for name in (stratum.split or "(none)", "all"):
            counts = splits.setdefault(name, [0, 0, 0])
            for at, more in enumerate((1, stratum.images, stratum.chosen)):
                counts[at] += more
    splits["all"] = splits.pop("all")  # the last line
    click.echo(f"{'split':<12}{'strata':>10}{'images in':>14}{'images out':>14}")
    for name, (strata, listed, chosen) in splits.items():
        click.echo(f"{name:<12}{strata:>10,}{listed:>14,}{chosen:>14,}  {chosen / listed:7.2%}")
    click.echo(f"output     {output}")
    shown = shlex.quote(str(images))
    click.echo(f"next       sightline features --images {shown} --model MODEL --output features")
