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

_FILE_OPTIONS = (
    click.option(
        "--include",
        help="Of a folder or glob: patterns of the files to take, such as '*.jpg,*.png'; default: "
        "of a folder those with the ending of an image. '*' is every file.",
    ),
    click.option(
        "--exclude",
        help="Of a folder or glob: patterns of the files to leave out, such as 'thumbs/*'.",
    ),
)
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
    click.option("--content-column", help="Of a table: its images; default: content, if binary."),
    click.option(
        "--root",
        type=click.Path(path_type=Path),
        help="Of a table's relative paths; default: its folder.",
    ),
    *_FILE_OPTIONS,
    click.option("--delimiter", help="Of a CSV: one character, or tab; default: a comma."),
    click.option("--encoding", help="Of a CSV: utf-16, windows-1252, …; default: utf-8."),
    click.option("--limit", type=_AT_LEAST_1, help="Only the first N images."),
    click.option(
        "--max-image-bytes",
        type=_AT_LEAST_1,
        default=DEFAULT_MAX_IMAGE_BYTES,
        show_default=True,
        help="Larger files are TOO_LARGE.",
    ),
)


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--include`` and ``--exclude`` to a click command that has ``--images`` already."""
    for option in reversed(_FILE_OPTIONS):
        command = option(command)
    return command


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them to a click command that has ``--images`` already."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def image_source(given: dict[str, Any]) -> ImageSource:
    """The images that a command's options name.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.source.csv_table import parse_dialect
    from sightline.source.list_images import ImageSource
    from sightline.source.list_table import TableColumns

    columns = TableColumns(
        given["path_column"],
        given["label_column"],
        given["label_id_column"],
        given["content_column"],
        use_labels=given["labels"] != "none",
        csv=parse_dialect(given["delimiter"], given["encoding"]),
    )
    return ImageSource(
        given["images"],
        given["labels"],
        columns,
        given["root"],
        given["limit"],
        given["include"],
        given["exclude"],
    )
