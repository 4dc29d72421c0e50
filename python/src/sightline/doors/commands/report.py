"""`sightline report`: its options, and what it prints at the end."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
Example:
  sightline report build/fruits-pca --points 2000""",
)
@click.argument("run", type=_PATH)
@click.option("--output", type=_PATH, help="Page to write; default: report.html in RUN.")
@click.option("--overwrite", is_flag=True, help="Replace --output if it is there.")
@click.option(
    "--points",
    type=click.IntRange(1, 10_000),
    default=10_000,
    show_default=True,
    help="Images on the page at most.",
)
@click.option("--no-thumbnails", is_flag=True, help="Leave the pictures out of the page.")
def report(
    run: Path,
    output: Path | None,
    overwrite: bool,  # noqa: FBT001 - click's flags
    points: int,
    no_thumbnails: bool,  # noqa: FBT001
) -> None:
    """Write one HTML page about RUN, the output folder of pca, features or predict.

    Of a PCA it shows the explained variance and its images by their components, with small
    copies of the images themselves: whoever gets the page sees them. The page needs no network.
    """
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.report.write_report import write_report

    written = write_report(
        run,
        output,
        if_exists="replace" if overwrite else "refuse",
        points=points,
        thumbnails="leave_out" if no_thumbnails else "embed",
    )
    if written.points:
        of_all = f" of {written.available}" if written.available > written.points else ""
        click.echo(f"points     {written.points}{of_all}")
    if written.unreadable:
        click.echo(f"unreadable {written.unreadable} images, which have no thumbnail")
    click.echo(f"page       {written.page} ({written.page.stat().st_size / 1e6:.1f} MB)")
    if written.chart:
        click.echo(f"chart      {written.chart}")
