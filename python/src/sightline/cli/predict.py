"""`sightline predict`."""

from __future__ import annotations

import shlex
from typing import Any

import click

from sightline.cli.inference_options import infer_arguments, inference_options, print_summary
from sightline.cli.next_command import next_command
from sightline.cli.options import AT_LEAST_1, KnownName
from sightline.engine.result_type import DEFAULT_TOP_K, TopK


@click.command()
@inference_options
@click.option(
    "--format",
    "format_",
    type=KnownName(["parquet", "csv", "json"]),
    default="parquet",
    show_default=True,
    help="Format of the result.",
)
@click.option(
    "--top-k",
    type=AT_LEAST_1,
    default=DEFAULT_TOP_K,
    show_default=True,
    help="Classes in the column top_k, the most likely first.",
)
def predict(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names above
    """Classify images.

    The output has one row for each image, with a prediction or an error.

    \b
    Example:
      sightline predict --images photos/ --model efficientnet_lite0 --output predictions
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    # Imported here because `--help` must not load numpy and pyarrow.
    from sightline.standalone.infer_images import infer_images

    arguments = infer_arguments(options, TopK(options["top_k"]))
    tally = infer_images(arguments)
    print_summary(arguments, tally)
    labels, classes = tally.labels, tally.bundle.labels
    click.echo(f"labels     {labels.summary()}")
    if labels.known < labels.labelled:
        click.echo(f"sightline: {labels.warning(tally.bundle.name, classes)}", err=True)
    if labels.are_comparable():
        metrics = f"{arguments.output}_metrics"
        next_command("evaluate", predictions=arguments.output, output=metrics)
    else:
        click.echo(f"next       sightline models describe {shlex.quote(arguments.model)}")
        click.echo(f"           {labels.why_no_evaluation()}")
