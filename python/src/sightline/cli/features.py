"""`sightline features`: its options, and what it prints at the end."""

from __future__ import annotations

from typing import Any

import click

from sightline.cli.inference_options import (
    infer_arguments,
    inference_options,
    print_summary,
)
from sightline.cli.next_command import next_command
from sightline.engine.result_type import Vector


@click.command()
@inference_options
def features(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names of the options
    """Describe images by vectors: one row for each, with a model's features or an error.

    The features are the model's pooled penultimate layer, float32; `sightline models describe`
    tells how many there are. Beside them stand the label, the file's name and the split (train or
    test, by the names of the folders).

    \b
    Example:
      sightline features --images fruits/ --model mobilenet_v2 --output features
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.standalone.infer_images import infer_images

    arguments = infer_arguments(options, Vector())
    tally = infer_images(arguments)
    print_summary(arguments, tally)
    next_command("pca", features=arguments.output, output=f"{arguments.output}_pca")
