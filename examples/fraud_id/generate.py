"""Draw images of fictitious identity cards, genuine and forged."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click
from cards.dataset import CLASSES, SPLITS, plan_pictures, write_dataset
from tqdm import tqdm

_EPILOG = """\b
Example:
  python examples/fraud_id/generate.py --output build/cards --people 40 --split test --seed 7
writes build/cards/all_images/000000.jpg ... 000119.jpg and build/cards/image_data.csv.
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Output folder; it must be new or empty.",
)
@click.option(
    "--people",
    default=40,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Number of people. Each has one image of each class.",
)
@click.option(
    "--split",
    default="test",
    show_default=True,
    type=click.Choice(SPLITS),
    help="The set of people. Splits have no person in common, not even as a donor.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="The same seed gives the same bytes.",
)
@click.option(
    "--workers",
    default=None,
    type=click.IntRange(1),
    help="Number of processes. [default: the cores that this process may use]",
)
def generate(output: Path, people: int, split: str, seed: int, workers: int | None) -> None:
    """Draw identity cards of the Republic of Sightland. A third of them are genuine.

    Writes OUTPUT/all_images/*.jpg, and OUTPUT/image_data.csv with the columns image_path,
    actual_class and actual_class_id.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        message = (
            f"OUTPUT_EXISTS: {output} exists and is not an empty folder. Choose another one, "
            "or remove it."
        )
        raise click.UsageError(message)
    pictures = plan_pictures(people, split, seed)
    written = write_dataset(pictures, output, workers or _usable_cores())
    for _ in tqdm(written, total=len(pictures), unit="card", desc=f"{split} cards", mininterval=1):
        pass
    classes = ", ".join(CLASSES)
    click.echo(f"{output}: {len(pictures)} pictures, {people} of each class ({classes})")


def _usable_cores() -> int:
    with contextlib.suppress(AttributeError):  # only Linux has this function
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if __name__ == "__main__":
    generate()
