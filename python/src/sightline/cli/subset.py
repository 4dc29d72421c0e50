"""`sightline subset`."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.options import (
    IMAGES_HELP,
    OVERWRITE_HELP,
    PATH,
    FloatInRange,
    image_source,
    listing_options,
)
from sightline.errors import SightlineError, WrongUseError
from sightline.publish import check_output, publish_folder, require_outside, require_replaceable
from sightline.standalone.run_record import write_run_json

if TYPE_CHECKING:
    from sightline.source.listing import Listing
    from sightline.source.stratified_sample import Sample

_MANIFEST = "manifest.csv"


@click.command()
@click.option(
    "--percentage",
    required=True,
    type=FloatInRange(0, 100, min_open=True),
    help="Share of each label in each split, above 0 and up to 100. At least one image of each is "
    "chosen.",
)
@click.option("--images", required=True, help=IMAGES_HELP)
@click.option("--output", required=True, type=PATH, help="Folder for the sample.")
@click.option(
    "--manifest",
    is_flag=True,
    help=f"Write {_MANIFEST}, a table of absolute paths, instead of links. A sample of a table is "
    "always a table.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Another seed gives another sample.",
)
@listing_options
@click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP)
def subset(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Draw a sample of an image collection, as links.

    The sample has the same share of each label in each split. No image is copied: --output gets
    absolute symbolic links, in folders with the original names, so labels and splits stay the
    same. The output may be moved, the images must stay where they are. Samples with the same seed
    are nested: the sample of 5 % contains the sample of 1 %.

    \b
    Examples:
      sightline subset --percentage 10 --images fruits/ --output fruits_10
      sightline subset --percentage 10 --images fruits/ --output fruits_10 --manifest
      sightline subset --percentage 1 --images paths.csv --output paths_1 --seed 7
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    output: Path = options["output"]
    reads = [path for path in (options["images"], options["root"]) if path is not None]
    exists = check_output(output, reads, overwrite=options["overwrite"])
    # Links among the images would be listed as images by the next run.
    require_outside(output, [options["images"]])
    sample, images = _make(output, exists, options)
    _print_summary(sample, output, images)


def _make(output: Path, exists: WrongUseError | None, given: dict[str, Any]) -> tuple[Sample, Path]:
    """Write the sample; return it, and the path that `--images` takes to read it."""
    # Imported here because `--help` must not load numpy and pyarrow.
    from tqdm import tqdm

    from sightline.source.stratified_sample import choose_sample
    from sightline.source.write_sample import link_images, write_manifest

    started = time.time()
    listing = _list(given)
    sample = choose_sample(listing, given["percentage"], given["seed"])
    is_manifest = given["manifest"] or listing.root is None
    if exists is None:
        require_replaceable(output, listing.files)
    with publish_folder(output, exists, settled=True) as folder:
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
    from sightline.source.list_images import list_images

    listing = list_images(image_source(given))
    if listing.packed is not None or listing.read is not None:
        raise WrongUseError(
            "WRONG_ARGUMENTS",
            f"{given['images']} contains the encoded images, so they have no files to link to. "
            "Sample the image files, then pack the sample with `sightline pack-images`.",
        )
    for row, error in listing.errors.items():
        # The sample would silently lack the images of this folder.
        raise SightlineError(
            "CANNOT_LIST", f"'{listing.files[row]}' ({error.code}): {error.message}"
        )
    return listing


def _print_summary(sample: Sample, output: Path, images: Path) -> None:
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
