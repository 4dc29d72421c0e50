"""`sightline report`: its options, and what it prints at the end."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
Examples:
  sightline report fruits-pca --images-root /data/fruits --points 2000
  sightline report predictions          # writes predictions/_run/report.html""",
)
@click.argument("run", type=_PATH)
@click.option(
    "--output",
    type=_PATH,
    help="Page to write; default: RUN/report.html of a pca, RUN/_run/report.html of the others.",
)
@click.option("--overwrite", is_flag=True, help="Replace --output if it is there.")
@click.option(
    "--points",
    type=click.IntRange(1, 10_000),
    default=10_000,
    show_default=True,
    help="Images on the page at most.",
)
@click.option(
    "--images-root",
    "images_roots",
    multiple=True,
    help="Folder or URI below which the run's images may be opened; can be given several times. "
    "Those in RUN always may.",
)
@click.option(
    "--any-image",
    is_flag=True,
    help="Open every image that the run names, wherever it is: only for a run of your own.",
)
@click.option("--no-thumbnails", is_flag=True, help="Leave the pictures out of the page.")
def report(
    run: Path,
    output: Path | None,
    overwrite: bool,  # noqa: FBT001 - click's flags
    points: int,
    images_roots: tuple[str, ...],
    any_image: bool,  # noqa: FBT001
    no_thumbnails: bool,  # noqa: FBT001
) -> None:
    """Write one HTML page about RUN, the output folder of pca, features or predict.

    Of a PCA it shows the explained variance and its images by their components, with small
    copies of the images themselves: whoever gets the page sees them. The page needs no network.

    A run that somebody else made can name any file that you may read, and any server. So only
    images in RUN and below --images-root are opened. pca has just read the features of its images
    and shows them all.
    """
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.report.write_report import write_report

    written = write_report(
        run,
        output,
        if_exists="replace" if overwrite else "refuse",
        points=points,
        thumbnails="leave_out" if no_thumbnails else "embed",
        image_roots=None if any_image else images_roots,
    )
    if written.points:
        of_all = f" of {written.available}" if written.available > written.points else ""
        click.echo(f"points     {written.points}{of_all}")
    if written.unreadable:
        click.echo(f"unreadable {written.unreadable} images, which have no thumbnail")
    if written.denied and not any_image:
        click.echo(
            f"denied     {written.denied} of them lie outside RUN and every --images-root, or may "
            "not be read: name their folder by --images-root, or, if the run is yours, add "
            "--any-image"
        )
    click.echo(f"page       {written.page} ({written.page.stat().st_size / 1e6:.1f} MB)")
    if written.chart:
        click.echo(f"chart      {written.chart}")
