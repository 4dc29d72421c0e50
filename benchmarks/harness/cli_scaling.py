"""`sightline bench scaling` and `sightline bench pca`: how time, cost and memory grow."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(path_type=Path, dir_okay=False)
_AT_LEAST_1 = click.IntRange(min=1)


class _Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between, each in a range; nothing is an empty list."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float], most: float = math.inf) -> None:
        self._kind = kind
        self._most = most

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        try:
            numbers = tuple(self._kind(word) for word in words)
        except ValueError:
            self.fail(f"{value!r} is no list of numbers with commas between.", param, ctx)
        for number in numbers:
            if not 0 < number <= self._most:
                most = "" if math.isinf(self._most) else f"<={self._most:g}"
                self.fail(f"{number:g} is not in the range 0<x{most}.", param, ctx)
        return tuple(sorted(set(numbers)))


@click.command(
    epilog="""\b
Examples:
  sightline bench scaling                            48 to 19,200 images of the shared fruits
  sightline bench scaling --images photos/ --model my_model --percentages 10,100 --times ""
  sightline bench scaling --price-per-hour 0.34 --rounds 3"""
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Folder of the collection; default: the fruits of the shared test data.",
)
@click.option("--model", default="mobilenet_v2", show_default=True, help="Folder, or in models/.")
@click.option(
    "--percentages",
    type=_Numbers(float, 100),
    default="1,5,10,25,50,100",
    show_default=True,
    help="Samples of the collection, by `sightline subset`.",
)
@click.option(
    "--times",
    type=_Numbers(int),
    default="2,5,10",
    show_default=True,
    help="The collection so many times over, by links.",
)
@click.option("--k", type=_AT_LEAST_1, default=50, show_default=True, help="Components.")
@click.option("--rounds", type=_AT_LEAST_1, default=1, show_default=True)
@click.option(
    "--price-per-hour",
    type=click.FloatRange(min=0),
    default=0.1,
    show_default=True,
    help="Of this machine, in any currency: an assumption, 0.05 for each of two cloud cores.",
)
@click.option("--output", type=_FILE, help="Record; default: that of `sightline bench`.")
@click.pass_context
def scaling(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Measure how the time and cost of features and a PCA grow with the images.

    `sightline bench report --page scaling` writes the page of it.
    """
    from harness.checkout import find_checkout
    from harness.regime import shared_data
    from harness.scaling import ScalingArguments, measure_scaling
    from harness.scaling_section import scaling_section

    root, work = find_checkout(), context.obj["work"]
    output = given["output"] or context.obj["output"]
    record = measure_scaling(
        ScalingArguments(
            repository=root,
            work=work,
            output=output,
            images=given["images"] or shared_data(root) / "fruits/dev",
            model=given["model"],
            percentages=given["percentages"],
            times=given["times"],
            k=given["k"],
            rounds=given["rounds"],
            price_per_hour=given["price_per_hour"],
        )
    )
    click.echo(scaling_section(record))
    click.echo(f"Written to {output}")


@click.command(
    epilog="""\b
Examples:
  sightline bench pca
  sightline bench pca --rows 10000,100000,1000000    5 GB on disk for a while"""
)
@click.option(
    "--rows",
    type=_Numbers(int),
    default="10000,100000",
    show_default=True,
    help="Of each table of synthetic features.",
)
@click.option("--k", type=_AT_LEAST_1, default=50, show_default=True, help="Components.")
@click.option("--driver-memory", default="2g", show_default=True, help="The JVM's heap, at most.")
@click.option("--output", type=_FILE, help="Record; default: that of `sightline bench`.")
@click.pass_context
def pca(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Measure time and memory of a PCA as its rows grow, beside numpy and scikit-learn.

    `sightline bench report --page scaling` writes the page of it.
    """
    from harness.checkout import find_checkout
    from harness.pca_growth import PcaArguments, measure_pca
    from harness.pca_section import pca_section

    output = given["output"] or context.obj["output"]
    arguments = (given["rows"], given["k"], given["driver_memory"])
    record = measure_pca(PcaArguments(find_checkout(), context.obj["work"], output, *arguments))
    click.echo(pca_section(record))
    click.echo(f"Written to {output}")
