"""The commands of benchmarks/run.py."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from harness.checkout import REPOSITORY, shared_data
from harness.errors import BenchError, WrongUseError

_FILE = click.Path(path_type=Path, dir_okay=False)
_AT_LEAST_1 = click.IntRange(min=1)
_QUICK_IMAGES = 16
_QUICK_TIMES = 2
_WRONG_USE = 2
_INTERRUPTED = 130


@dataclass(frozen=True)
class Places:
    """The scratch folder and the record of all commands."""

    work: Path
    results: Path


class _Numbers(click.ParamType[tuple[float, ...]]):
    """Positive numbers separated by commas, returned in ascending order; may be empty."""

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
        words = _words(value)
        try:
            numbers = tuple(self._kind(word) for word in words)
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers separated by commas.", param, ctx)
        for number in numbers:
            if not 0 < number <= self._most:
                most = "" if math.isinf(self._most) else f"<={self._most:g}"
                self.fail(f"{number:g} is not in the range 0<x{most}.", param, ctx)
        return tuple(sorted(set(numbers)))


def _words(text: str) -> list[str]:
    """Return the words of a list separated by commas, without the empty ones."""
    return [word for part in text.split(",") if (word := part.strip())]


class _Parts(click.ParamType[tuple[str, ...]]):
    """Names of parts separated by commas, returned in the order of PARTS."""

    name = "parts"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, ...]:
        from harness.benchmark import PARTS

        if isinstance(value, tuple):
            return value
        wanted = _words(value)
        for word in wanted:
            if word not in PARTS:
                self.fail(f"{word!r} is not one of {', '.join(PARTS)}.", param, ctx)
        return tuple(part for part in PARTS if part in wanted)


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples, with .venv/bin/python:
  benchmarks/run.py                            all parts: 75 to 95 minutes on two cores
  benchmarks/run.py --only camera              one regime: 16 to 24 minutes
  benchmarks/run.py --only heavy --contenders raw-decode,spark-parquet,pbu-parquet
  benchmarks/run.py growth                     images, partitions, listed paths
  benchmarks/run.py scaling                    features and pca over 48 to 19,200 images
  benchmarks/run.py pca                        pca over 10,000 and 100,000 rows
  benchmarks/run.py report                     the page of build/bench/results.json""",
)
@click.option(
    "--only",
    type=_Parts(),
    default="heavy,light,camera,resnet50,cold,memory",
    show_default=True,
    metavar="A,B,C",
    help="Parts to measure. heavy: copies of photographs at 224 px; light: small images; camera: "
    "photographs as cameras write them; resnet50: for published figures; cold: starts; memory: of "
    "a worker. The record keeps the other parts.",
)
@click.option("--contenders", metavar="A,B,C", help="Measure only these; default: all.")
@click.option("--rounds", type=_AT_LEAST_1, default=3, show_default=True)
@click.option(
    "--more-rounds",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Further rounds of contenders whose targets are not decided.",
)
@click.option("--images", type=_AT_LEAST_1, help="Images of a small job; default: by regime.")
@click.option(
    "--times",
    type=click.IntRange(min=2),
    default=4,
    show_default=True,
    help="With --images: a large job, as a multiple of a small one.",
)
@click.option("--quick", is_flag=True, help="One round of 16 and 32 images, to see that it runs.")
@click.option(
    "--fresh", is_flag=True, help="Measure everything, also what an interrupted run measured."
)
@click.option("--results", type=_FILE, help="Record; default: build/bench/results.json.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="Scratch folder; default: build/bench."
)
@click.pass_context
def bench(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Compare the cost of an image in Sightline, in its raw parts and in other tools.

    The cost is CPU time of all processes. The contenders take turns. The record is written after
    each job. After an interruption, the same command on the same commit continues.
    """
    _require_packages("psutil", "scipy")
    work = (given["work"] or REPOSITORY / "build/bench").absolute()
    results = given["results"] or work / "results.json"
    context.obj = Places(work, results)
    if context.invoked_subcommand is not None:
        return
    from harness.benchmark import BenchArguments, run_benchmark
    from harness.regimes import Sizes
    from harness.summary import summarise

    quick = given["quick"]
    sizes = Sizes(given["images"], given["times"]) if given["images"] else None
    record = run_benchmark(
        BenchArguments(
            parts=given["only"],
            contenders=given["contenders"],
            rounds=1 if quick else given["rounds"],
            more_rounds=0 if quick else given["more_rounds"],
            sizes=Sizes(_QUICK_IMAGES, _QUICK_TIMES) if quick else sizes,
            work=work,
            results=results,
            earlier="dropped" if given["fresh"] else "continued",
        )
    )
    click.echo(f"{summarise(record, given['only'])}\nWritten to {results}")


@bench.command()
@click.option("--most-images", type=_AT_LEAST_1, default=100_000, show_default=True)
@click.option("--most-partitions", type=_AT_LEAST_1, default=2000, show_default=True)
@click.option("--paths", type=_AT_LEAST_1, default=1_000_000, show_default=True)
@click.pass_obj
def growth(places: Places, most_images: int, most_partitions: int, paths: int) -> None:
    """Measure time and memory as images, partitions and listed paths grow."""
    from harness.growth import GrowthArguments, measure_growth
    from harness.summary import summarise_growth

    results = places.results
    record = measure_growth(
        GrowthArguments(places.work, results, most_images, most_partitions, paths)
    )
    click.echo(f"{summarise_growth(record)}\nWritten to {results}")


@bench.command(
    epilog="""\b
Examples:
  benchmarks/run.py scaling                    48 to 19,200 images of the shared fruits
  benchmarks/run.py scaling --images photos/ --model my_model --percentages 10,100 --times ""
  benchmarks/run.py scaling --price-per-hour 0.34 --rounds 3"""
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
    help="Sizes of samples, by `sightline subset`.",
)
@click.option(
    "--times",
    type=_Numbers(int),
    default="2,5,10",
    show_default=True,
    help="Multiples of the collection, by links.",
)
@click.option("--k", type=_AT_LEAST_1, default=50, show_default=True, help="Components.")
@click.option("--rounds", type=_AT_LEAST_1, default=1, show_default=True)
@click.option(
    "--price-per-hour",
    type=click.FloatRange(min=0),
    default=0.1,
    show_default=True,
    help="Assumed price of this machine, in any currency: 0.05 for each of two cloud cores.",
)
@click.pass_obj
def scaling(places: Places, /, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Measure time and cost of features and a PCA as the collection grows."""
    from harness.scaling import ScalingArguments, measure_scaling
    from harness.scaling_section import scaling_section

    given["images"] = given["images"] or shared_data() / "fruits/dev"
    record = measure_scaling(ScalingArguments(places.work, places.results, **given))
    click.echo(f"{scaling_section(record)}\nWritten to {places.results}")


@bench.command(
    epilog="""\b
Example:
  benchmarks/run.py pca --rows 10000,100000,1000000    needs 5 GB on disk"""
)
@click.option(
    "--rows",
    type=_Numbers(int),
    default="10000,100000",
    show_default=True,
    help="Rows of each table of synthetic features.",
)
@click.option("--k", type=_AT_LEAST_1, default=50, show_default=True, help="Components.")
@click.option("--driver-memory", default="2g", show_default=True, help="Limit of the JVM's heap.")
@click.pass_obj
def pca(places: Places, /, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Measure time and memory of a PCA as its rows grow, beside numpy and scikit-learn."""
    from harness.pca import PcaArguments, measure_pca
    from harness.pca_section import pca_section

    record = measure_pca(PcaArguments(places.work, places.results, **given))
    click.echo(f"{pca_section(record)}\nWritten to {places.results}")


@bench.command(
    epilog="""\b
Examples:
  benchmarks/run.py report --results benchmarks/results.json --output docs/performance.md
  benchmarks/run.py report --page growth --output docs/growth.md"""
)
@click.option(
    "--page",
    type=click.Choice(["performance", "growth"]),
    default="performance",
    show_default=True,
    help="growth: the results of `growth`, `scaling` and `pca`.",
)
@click.option("--results", type=_FILE, help="Record; default: build/bench/results.json.")
@click.option("--output", type=_FILE, help="Page to write; default: build/bench/PAGE.md.")
@click.option("--chart", type=_FILE, help="Draw the performance to this file; default: none.")
@click.pass_obj
def report(
    places: Places,
    page: str,
    results: Path | None,
    output: Path | None,
    chart: Path | None,
) -> None:
    """Write a page of a record, and a chart."""
    from harness.chart import draw_chart
    from harness.growth_page import write_growth_page
    from harness.performance_page import write_performance_page

    record, file = results or places.results, output or places.work / f"{page}.md"
    (write_growth_page if page == "growth" else write_performance_page)(record, file)
    click.echo(f"Written to {file}")
    if chart is not None:
        _require_packages("matplotlib")
        draw_chart(record, chart)
        click.echo(f"Drawn to {chart}")


def _require_packages(*names: str) -> None:
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise WrongUseError(
                "MISSING_PACKAGE",
                f"the benchmark needs the package {name}, which {sys.executable} does not have. "
                "Run `make setup`, and use .venv/bin/python.",
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the name of the program; None: those of the process.

    Returns:
        0 done, 1 a measurement failed, 2 wrong use, 130 interrupted. An error is one line on
        stderr: `benchmark: CONDITION: …`.
    """
    try:
        bench.main(None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"benchmark: WRONG_ARGUMENTS: {error.format_message()}", err=True)
        return _WRONG_USE
    except BenchError as error:
        click.echo(f"benchmark: {error}", err=True)
        return error.exit_status
    except click.Abort:
        click.echo("benchmark: interrupted. The same command continues.", err=True)
        return _INTERRUPTED
    return 0
