"""`sightline bench`: measure, measure growth, and write the pages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import click

from harness.cli_scaling import pca, scaling
from sightline.errors import WrongUseError

_FILE = click.Path(path_type=Path, dir_okay=False)
_AT_LEAST_1 = click.IntRange(min=1)
_QUICK_IMAGES = 16


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  sightline bench                                   everything: an hour on two cores
  sightline bench --regime heavy --contenders raw-decode,spark-parquet,pbu-parquet
  sightline bench closest                           more rounds for those that are close
  sightline bench growth
  sightline bench scaling                           features and pca over 48 to 19,200 images
  sightline bench pca                               pca over 10,000 and 100,000 rows
  sightline bench report --results build/bench/results.json""",
)
@click.option(
    "--regime",
    type=click.Choice(["heavy", "light", "all"]),
    default="all",
    show_default=True,
    help="heavy: photographs at 224 px; light: small images.",
)
@click.option("--contenders", metavar="A,B,C", help="Only these; default: all.")
@click.option("--rounds", type=_AT_LEAST_1, default=3, show_default=True)
@click.option("--images", type=_AT_LEAST_1, help="Of a full job; default: 500 heavy, 2,400 light.")
@click.option("--quick", is_flag=True, help="One round of 16 images: does it run at all?")
@click.option("--output", type=_FILE, help="Record; default: build/bench/results.json.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="Scratch folder; default: build/bench."
)
@click.pass_context
def bench(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Compare what an image costs in Sightline, in the raw parts and in the peers.

    It is measured in CPU time of all processes, and the contenders take turns.
    """
    _require_packages("psutil")
    from harness.checkout import find_checkout

    root = find_checkout()
    work = (given["work"] or root / "build/bench").absolute()
    context.obj = {"work": work, "output": given["output"] or work / "results.json"}
    if context.invoked_subcommand is not None:
        return
    from harness.benchmark import BenchArguments, run_benchmark
    from harness.summary import summarise

    quick = given["quick"]
    record = run_benchmark(
        BenchArguments(
            repository=root,
            regimes=("heavy", "light") if given["regime"] == "all" else (given["regime"],),
            contenders=given["contenders"],
            rounds=1 if quick else given["rounds"],
            images=_QUICK_IMAGES if quick else given["images"],
            memory="left out" if quick or given["contenders"] else "measured",
            work=work,
            output=context.obj["output"],
        )
    )
    click.echo(summarise(record))
    click.echo(f"Written to {context.obj['output']}")


@bench.command(
    epilog="""\b
Example:
  sightline bench growth --most-images 100000"""
)
@click.option("--most-images", type=_AT_LEAST_1, default=100_000, show_default=True)
@click.option("--most-partitions", type=_AT_LEAST_1, default=2000, show_default=True)
@click.option("--paths", type=_AT_LEAST_1, default=1_000_000, show_default=True)
@click.pass_context
def growth(context: click.Context, most_images: int, most_partitions: int, paths: int) -> None:
    """Measure time and memory as images, partitions and paths grow."""
    from harness.checkout import find_checkout
    from harness.growth import GrowthArguments, measure_growth
    from harness.summary import summarise_growth

    root, work = find_checkout(), context.obj["work"]
    record = measure_growth(
        GrowthArguments(root, work, context.obj["output"], most_images, most_partitions, paths)
    )
    click.echo(summarise_growth(record))
    click.echo(f"Written to {context.obj['output']}")


@bench.command(
    epilog="""\b
Example:
  sightline bench --output benchmarks/results.json closest --rounds 5"""
)
@click.option("--rounds", type=_AT_LEAST_1, default=5, show_default=True)
@click.pass_context
def closest(context: click.Context, rounds: int) -> None:
    """Measure the contenders that are closest to each other again, and add it to the record."""
    from harness.checkout import find_checkout
    from harness.closest import ClosestArguments, measure_closest
    from harness.summary import summarise

    root, output = find_checkout(), context.obj["output"]
    record = measure_closest(ClosestArguments(root, context.obj["work"], output, rounds))
    click.echo(summarise(record))
    click.echo(f"Written to {output}")


@bench.command(
    epilog="""\b
Examples:
  sightline bench report --results benchmarks/results.json --output docs/performance.md
  sightline bench report --page scaling --output docs/growth.md"""
)
@click.option(
    "--page",
    type=click.Choice(["performance", "scaling"]),
    default="performance",
    show_default=True,
    help="scaling: what `bench scaling` and `bench pca` measured.",
)
@click.option("--results", type=_FILE, help="Record; default: build/bench/results.json.")
@click.option("--output", type=_FILE, help="Page to write; default: build/bench/PAGE.md.")
@click.option("--chart", type=_FILE, help="Picture to draw of performance; default: none.")
@click.pass_context
def report(
    context: click.Context, page: str, results: Path | None, output: Path | None, chart: Path | None
) -> None:
    """Write a page of a record, and a picture of it if asked for."""
    from harness.report import write_report, write_scaling_report

    work = context.obj["work"]
    record, file = results or work / "results.json", output or work / f"{page}.md"
    (write_scaling_report if page == "scaling" else write_report)(record, file)
    click.echo(f"Written to {file}")
    if chart is not None:
        _require_packages("matplotlib")
        from harness.chart import draw_chart

        draw_chart(record, chart)
        click.echo(f"Drawn to {chart}")


bench.add_command(scaling)
bench.add_command(pca)


def _require_packages(*names: str) -> None:
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise WrongUseError(
                "MISSING_PACKAGE",
                f"the benchmark needs the package {name}, which {sys.executable} does not have. "
                "Install it with: pip install 'sightline[bench]'.",
            )
