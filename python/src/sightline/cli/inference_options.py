"""Options and summary of `predict` and `features`, which run a model over images."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.calibration import PRECISIONS
from sightline.cli.options import (
    ALLOW_CODE_HELP,
    AT_LEAST_1,
    BATCH_ROWS_HELP,
    IMAGES_HELP,
    OVERWRITE_HELP,
    PATH,
    SHARE,
    KnownName,
    add_options,
    image_options,
    image_source,
    read_batch_rows,
)
from sightline.engine.batch_rows import AUTO
from sightline.engine.result_type import TopK, Vector
from sightline.engine.settings import (
    DECODERS,
    DEFAULT_DECODER,
    DEFAULT_MAX_IMAGE_PIXELS,
)
from sightline.own_cores import own_cores
from sightline.wrong_option import require_known

if TYPE_CHECKING:
    from sightline.standalone.infer_images import InferArguments
    from sightline.standalone.tally import Tally

inference_options = add_options(
    click.option("--images", required=True, help=IMAGES_HELP),
    click.option("--model", required=True, help="Name of a model, or path of its bundle."),
    click.option("--output", required=True, type=PATH, help="Folder for the result."),
    click.option("--backend", default="onnx", show_default=True, help="onnx, openvino or pytorch."),
    click.option(
        "--precision",
        type=KnownName(PRECISIONS),
        default="fp32",
        show_default=True,
        help="bf16 and int8 need a model that was calibrated for them: see `sightline models "
        "calibrate`.",
    ),
    click.option(
        "--decoder",
        type=KnownName(DECODERS),
        default=DEFAULT_DECODER,
        show_default=True,
        help="fast decodes a large JPEG at a fraction of its size and resizes only the part that "
        "the model sees. exact decodes and resizes the whole image, like torchvision.",
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
    click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP),
    image_options,
    click.option(
        "--on-error",
        type=click.Choice(["permissive", "drop", "fail"]),
        default="permissive",
        show_default=True,
        help="For an image that cannot be read: keep a row with the error, drop the row, or fail "
        "the run.",
    ),
    click.option(
        "--max-error-rate",
        type=SHARE,
        help="Fail the run, and publish nothing, if a larger share of the images has errors (0 to "
        "1).",
    ),
    click.option(
        "--batch-rows",
        type=read_batch_rows,
        metavar="N|auto",
        default=AUTO,
        show_default=True,
        help=BATCH_ROWS_HELP,
    ),
    click.option("--threads", type=AT_LEAST_1, help="Worker threads; default: one for each core."),
    click.option(
        "--models",
        type=PATH,
        help="Folder to search first for the model; default: $SIGHTLINE_MODELS. Then ./models and "
        "the built-in models are searched.",
    ),
    click.option("--allow-code", is_flag=True, help=ALLOW_CODE_HELP),
    click.option(
        "--max-image-pixels",
        type=AT_LEAST_1,
        default=DEFAULT_MAX_IMAGE_PIXELS,
        show_default=True,
        help="An image with more pixels gives the error TOO_LARGE.",
    ),
    click.option(
        "--sequential",
        is_flag=True,
        help="Read and infer one image at a time, as a simple loop does.",
    ),
)
"""Decorator that adds the options to a click command."""


def infer_arguments(given: dict[str, Any], result: TopK | Vector) -> InferArguments:
    """Convert the option values to the arguments of `infer_images`.

    Args:
        given: Values by parameter name; ``format_`` is optional.
        result: Predictions or features.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, UNKNOWN_DEVICE, INVALID_OPTION or MISSING_PACKAGE.
    """
    # Imported here because `--help` must not load numpy and pyarrow.
    from sightline.backends.device import DEVICES
    from sightline.backends.registry import known_backends
    from sightline.engine.settings import EngineSettings
    from sightline.standalone.infer_images import InferArguments

    require_known("--backend", given["backend"], known_backends())
    require_known("--device", given["device"], DEVICES)
    threads = given["threads"] or own_cores()
    sequential = given["sequential"]
    return InferArguments(
        source=image_source(given),
        model=given["model"],
        models=given["models"],
        backend=given["backend"],
        device=given["device"],
        precision=given["precision"],
        # Threads within an operator wait for each other at every layer: 16 CPU-ms an image of
        # EfficientNet-Lite0, where one thread for each batch needs 11.
        threads=threads if sequential else 1,
        allow_code=given["allow_code"],
        batch_rows=1 if sequential else given["batch_rows"],
        engine=EngineSettings(
            max_image_bytes=given["max_image_bytes"],
            max_image_pixels=given["max_image_pixels"],
            decoder=given["decoder"],
            threads=1 if sequential else threads,
        ),
        result=result,
        output=given["output"],
        if_exists="replace" if given["overwrite"] else "refuse",
        format=given.get("format_", "parquet"),
        on_error=given["on_error"],
        max_error_rate=given["max_error_rate"],
        reading="one_by_one" if sequential else "ahead",
    )


def print_summary(arguments: InferArguments, tally: Tally) -> None:
    """Print the model, the counts, the speed and the output to stdout."""
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
    click.echo(f"time       {_elapsed(tally)}")
    click.echo(f"output     {arguments.output}")


def _elapsed(tally: Tally) -> str:
    """Seconds since the process started, in total and by stage."""
    from sightline.run_owner import process_seconds

    since_begin = time.time() - tally.started
    whole = max(process_seconds(), since_begin)
    parts = {"startup": whole - since_begin, **tally.seconds}
    parts["other"] = max(0.0, whole - sum(parts.values()))
    return f"{whole:.1f} s: " + ", ".join(f"{name} {spent:.1f}" for name, spent in parts.items())
