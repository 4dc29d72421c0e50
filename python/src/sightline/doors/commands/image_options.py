"""The options that say which images: those of every command that lists some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.engine.spec import DEFAULT_MAX_IMAGE_BYTES

if TYPE_CHECKING:
    from sightline.source.list_images import ImageSource

_AT_LEAST_1 = click.IntRange(min=1)

_OPTIONS = (
    click.option(
        "--labels",
        type=click.Choice(["auto", "folder", "none"]),
        default="auto",
        show_default=True,
        help="True labels: a table's column, or the image's folder.",
    ),
    click.option("--path-column", help="Of a table; default: path, image_path or file."),
    click.option("--label-column", help="Of a table; default: label, actual_class or class."),
    click.option(
        "--label-id-column", help="Of a table; default: class_id, actual_class_id or label_id."
    ),
    click.option(
        "--root",
        type=click.Path(path_type=Path),
        help="Of a table's relative paths; default: its folder.",
    ),
    click.option("--limit", type=_AT_LEAST_1, help="Only the first N images."),
    click.option(
        "--max-image-bytes", type=_AT_LEAST_1, default=DEFAULT_MAX_IMAGE_BYTES, show_default=True
    ),
)


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them to a click command that has ``--images`` already."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def image_source(given: dict[str, Any]) -> ImageSource:
    """The images that a command's options name; ``content_column`` may be among them."""
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.source.list_images import ImageSource
    from sightline.source.list_table import TableColumns

    columns = TableColumns(
        given["path_column"],
        given["label_column"],
        given["label_id_column"],
        given.get("content_column"),
        use_labels=given["labels"] != "none",
    )
    return ImageSource(given["images"], given["labels"], columns, given["root"], given["limit"])
