"""`sightline predict`: its options, and what it prints at the end."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.calibration import PRECISIONS
from sightline.doors.commands.allow_code import ALLOW_CODE
from sightline.doors.commands.image_options import image_options, image_source
from sightline.doors.commands.share import Share
from sightline.engine.spec import (
    DECODERS,
    DEFAULT_BATCH_ROWS,
    DEFAULT_MAX_IMAGE_PIXELS,
    DEFAULT_TOP_K,
)
from sightline.own_cores import own_cores

if TYPE_CHECKING:
    from sightline.doors.standalone.arguments import PredictArguments
    from sightline.doors.standalone.tally import Tally

_AT_LEAST_1 = click.IntRange(min=1)
_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths.")
@click.option("--model", required=True, help="Name of a bundle, or the path of one.")
@click.option("--output", required=True, type=_PATH, help="Folder to make.")
@click.option("--backend", default="onnx", show_default=True, help="onnx, openvino or pytorch.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="fp32",
    show_default=True,
    help="Below fp32 the model must have been calibrated.",
)
@click.option(
    "--decoder",
    type=click.Choice(DECODERS),
    default="pillow",
    show_default=True,
    help="Of JPEGs: turbo gives the same pixels sooner, scaled other ones.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["parquet", "csv", "json"]),
    default="parquet",
    show_default=True,
)
@click.option("--overwrite", is_flag=True, help="Replace --output if it is there.")
@image_options
@click.option("--content-column", help="Of a table: its images; default: content, if binary.")
@click.option("--top-k", type=_AT_LEAST_1, default=DEFAULT_TOP_K, show_default=True)
@click.option(
    "--on-error",
    type=click.Choice(["permissive", "drop", "fail"]),
    default="permissive",
    show_default=True,
    help="Rows with errors: keep, leave out, or end the run.",
)
@click.option("--max-error-rate", type=Share(), help="Publish nothing above it.")
@click.option("--batch-rows", type=_AT_LEAST_1, default=DEFAULT_BATCH_ROWS, show_default=True)
@click.option("--threads", type=_AT_LEAST_1, help="Images at once; default: all cores.")
@click.option("--models", type=_PATH, help="Folder of bundles; default: SIGHTLINE_MODELS.")
@click.option("--allow-code", is_flag=True, help=ALLOW_CODE)
@click.option(
    "--max-image-pixels", type=_AT_LEAST_1, default=DEFAULT_MAX_IMAGE_PIXELS, show_default=True
)
@click.option(
    "--sequential",
    is_flag=True,
    help="One image at a time, in batches of one: what a plain loop does.",
)
def predict(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Classify images: one row for each, with a prediction or an error.

    \b
    Example:
      sightline predict --images photos/ --model efficientnet_lite0 --output predictions
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.doors.standalone.predict import predict_images

    arguments = _arguments(options)
    _print_summary(arguments, predict_images(arguments))


def _arguments(given: dict[str, Any]) -> PredictArguments:
    from sightline.doors.standalone.arguments import PredictArguments
    from sightline.engine.spec import EngineSpec

    threads = given["threads"] or own_cores()
    return PredictArguments(
        source=image_source(given),
        model=given["model"],
        models=given["models"],
        backend=given["backend"],
        device=given["device"],
        precision=given["precision"],
        # Threads within an operator wait for each other at every layer: 16 CPU-ms an image of
        # EfficientNet-Lite0 where whole batches in threads of their own cost 11.
        threads=threads if given["sequential"] else 1,
        allow_code=given["allow_code"],
        engine=EngineSpec(
            batch_rows=1 if given["sequential"] else given["batch_rows"],
            top_k=given["top_k"],
            max_image_bytes=given["max_image_bytes"],
            max_image_pixels=given["max_image_pixels"],
            decoder=given["decoder"],
            lanes=1 if given["sequential"] else threads,
        ),
        output=given["output"],
        if_exists="replace" if given["overwrite"] else "refuse",
        format=given["format_"],
        on_error=given["on_error"],
        max_error_rate=given["max_error_rate"],
        reading="one_by_one" if given["sequential"] else "ahead",
    )


def _print_summary(arguments: PredictArguments, tally: Tally) -> None:
    working = sum(tally.seconds.get(stage, 0) for stage in ("infer", "write"))
    errors = sum(tally.errors.values())
    kinds = ", ".join(f"{code} {count}" for code, count in sorted(tally.errors.items()))
    click.echo(f"model      {tally.bundle.name} ({arguments.backend}, {tally.device})")
    click.echo(f"images     {tally.images}")
    click.echo(f"predicted  {tally.predicted}")
    click.echo(f"errors     {errors}" + (f" ({kinds})" if kinds else ""))
    rate = tally.images / working if working else 0.0
    loading = tally.seconds["load"]
    click.echo(f"speed      {rate:.1f} images/s, after {loading:.1f} s to load the model")
    click.echo(f"output     {arguments.output}")
    if tally.labelled:
        output = shlex.quote(str(arguments.output))
        metrics = shlex.quote(f"{arguments.output}_metrics")
        command = f"evaluate --predictions {output} --output {metrics}"
        click.echo(f"next       spark-submit {_shown_jar()} {command}")
    else:
        click.echo(f"next       sightline models describe {arguments.model}")


def _shown_jar() -> str:
    """The jar's path, from the working folder if it lies below that."""
    from sightline.doors.standalone.find_jar import find_jar

    jar = find_jar()
    here = Path.cwd()
    return shlex.quote(str(jar.relative_to(here) if jar.is_relative_to(here) else jar))
