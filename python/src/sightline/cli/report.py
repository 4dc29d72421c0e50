"""`sightline report`."""

from __future__ import annotations

from pathlib import Path

import click

from sightline.cli.options import OVERWRITE_HELP, PATH


@click.command(
    epilog="""\b
Examples:
  sightline report fruits-pca --images-root /data/fruits --points 2000
  sightline report predictions          # writes predictions/_run/report.html""",
)
@click.argument("run", type=PATH)
@click.option(
    "--output",
    type=PATH,
    help="Page to write; default: RUN/report.html for a pca run, else RUN/_run/report.html.",
)
@click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP)
@click.option(
    "--points",
    type=click.IntRange(1, 10_000),
    default=10_000,
    show_default=True,
    help="Maximum number of images on the page.",
)
@click.option(
    "--images-root",
    "images_roots",
    multiple=True,
    help="Folder or URI whose images may be opened, besides those in RUN. May be repeated.",
)
@click.option(
    "--any-image",
    is_flag=True,
    help="Open every image that the run lists. Only for your own runs.",
)
@click.option("--no-thumbnails", is_flag=True, help="Write the page without pictures.")
def report(
    run: Path,
    output: Path | None,
    overwrite: bool,  # noqa: FBT001 - click's flags
    points: int,
    images_roots: tuple[str, ...],
    any_image: bool,  # noqa: FBT001
    no_thumbnails: bool,  # noqa: FBT001
) -> None:
    """Write an HTML page about RUN, an output folder of pca, features or predict.

    The page is one file and needs no network. For a pca run it shows the explained variance, and
    the images by their components. It contains small copies of the images, so everybody who gets
    the page can see them.

    A run from somebody else may list any file or server. Therefore only images in RUN and below
    --images-root are opened, unless --any-image is given. (`pca` itself opens all images of the
    features that it reads.)
    """
    # Imported here because `--help` must not load numpy and pyarrow.
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
            f"denied     {written.denied} of them are outside RUN and every --images-root, or this "
            "user may not read them. Add their folder with --images-root; for your own run, "
            "--any-image opens all"
        )
    click.echo(f"page       {written.page} ({written.page.stat().st_size / 1e6:.1f} MB)")
    if written.chart:
        click.echo(f"chart      {written.chart}")
