"""The options of every command that runs a model over images, and what they come to."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.calibration import PRECISIONS
from sightline.cli.allow_code import ALLOW_CODE
from sightline.cli.image_options import image_options, image_source
from sightline.cli.share import Share
from sightline.engine.result_type import TopK, Vector
from sightline.engine.spec import DECODERS, DEFAULT_BATCH_ROWS, DEFAULT_MAX_IMAGE_PIXELS
from sightline.own_cores import own_cores

if TYPE_CHECKING:
    from sightline.standalone.arguments import InferArguments
    from sightline.standalone.tally import Tally

_AT_LEAST_1 = click.IntRange(min=1)
_PATH = click.Path(path_type=Path)

_OPTIONS = (
    click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths."),
    click.option("--model", required=True, help="Name of a bundle, or the path of one."),
    click.option("--output", required=True, type=_PATH, help="Folder to make."),
    click.option("--backend", default="onnx", show_default=True, help="onnx, openvino or pytorch."),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="fp32",
        show_default=True,
        help="Below fp32 the model must have been calibrated.",
    ),
    click.option(
        "--decoder",
        type=click.Choice(DECODERS),
        default="pillow",
        show_default=True,
        help="Of JPEGs: turbo gives the same pixels sooner, scaled other ones.",
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
    click.option("--overwrite", is_flag=True, help="Replace --output if it is there."),
    image_options,
    click.option(
        "--on-error",
        type=click.Choice(["permissive", "drop", "fail"]),
        default="permissive",
        show_default=True,
        help="Rows with errors: keep, leave out, or end the run.",
    ),
    click.option("--max-error-rate", type=Share(), help="Publish nothing above it."),
    click.option(
        "--batch-rows",
        type=_AT_LEAST_1,
        default=DEFAULT_BATCH_ROWS,
        show_default=True,
        help="Images in one batch of the model.",
    ),
    click.option("--threads", type=_AT_LEAST_1, help="Images at once; default: all cores."),
    click.option("--models", type=_PATH, help="Folder of bundles; default: SIGHTLINE_MODELS."),
    click.option("--allow-code", is_flag=True, help=ALLOW_CODE),
    click.option(
        "--max-image-pixels",
        type=_AT_LEAST_1,
        default=DEFAULT_MAX_IMAGE_PIXELS,
        show_default=True,
        help="Larger canvases are TOO_LARGE.",
    ),
    click.option(
        "--sequential",
        is_flag=True,
        help="One image at a time, in batches of one: what a plain loop does.",
    ),
)


def inference_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them to a click command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def infer_arguments(given: dict[str, Any], result: TopK | Vector) -> InferArguments:
    """What a command's options ask for; ``format_`` may be among them."""
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.engine.spec import EngineSpec
    from sightline.standalone.arguments import InferArguments

    threads = given["threads"] or own_cores()
    return InferArguments(
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
            max_image_bytes=given["max_image_bytes"],
            max_image_pixels=given["max_image_pixels"],
            decoder=given["decoder"],
            threads=1 if given["sequential"] else threads,
        ),
        result=result,
        output=given["output"],
        if_exists="replace" if given["overwrite"] else "refuse",
        format=given.get("format_", "parquet"),
        on_error=given["on_error"],
        max_error_rate=given["max_error_rate"],
        reading="one_by_one" if given["sequential"] else "ahead",
    )


def print_summary(arguments: InferArguments, tally: Tally) -> None:
    """Say on stdout what ran and what came of it; a command adds what to do next."""
    working = sum(tally.seconds.get(stage, 0) for stage in ("infer", "write"))
    errors = sum(tally.errors.values())
    kinds = ", ".join(f"{code} {count}" for code, count in sorted(tally.errors.items()))
    click.echo(f"model      {tally.bundle.name} ({arguments.backend}, {tally.device})")
    click.echo(f"images     {tally.images}")
    done = "features" if isinstance(arguments.result, Vector) else "predicted"
    click.echo(f"{done:<9}  {tally.predicted}")
    click.echo(f"errors     {errors}" + (f" ({kinds})" if kinds else ""))
    rate = tally.images / working if working else 0.0
    loading = tally.seconds["load"]
    click.echo(f"speed      {rate:.1f} images/s, after {loading:.1f} s to load the model")
    click.echo(f"time       {_waited(tally)}")
    click.echo(f"output     {arguments.output}")


def _waited(tally: Tally) -> str:
    """How long the user has waited since the program started, and for what."""
    from sightline.run_owner import process_seconds  # --help must not pay for it

    since_begin = time.time() - tally.started
    whole = max(process_seconds(), since_begin)
    parts = {"startup": whole - since_begin, **tally.seconds}
    parts["other"] = max(0.0, whole - sum(parts.values()))
    return f"{whole:.1f} s: " + ", ".join(f"{name} {spent:.1f}" for name, spent in parts.items())
