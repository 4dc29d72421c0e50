"""`sightline features`."""

from __future__ import annotations

from typing import Any

import click

from sightline.cli.inference_options import infer_arguments, inference_options, print_summary
from sightline.cli.next_command import next_command
from sightline.engine.result_type import Vector


@click.command()
@inference_options
def features(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names of the options
    """Compute a feature vector for each image.

    The output has one row for each image, with its features or an error. The features are the
    input to the model's last layer, as float32. `sightline models describe` prints their number.
    The output also has the label, the file name and the split (train or test, from the names of
    the folders).

    \b
    Example:
      sightline features --images fruits/ --model mobilenet_v2 --output features
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    # Imported here because `--help` must not load numpy and pyarrow.
    from sightline.standalone.infer_images import infer_images

    arguments = infer_arguments(options, Vector())
    tally = infer_images(arguments)
    print_summary(arguments, tally)
    next_command("pca", features=arguments.output, output=f"{arguments.output}_pca")
