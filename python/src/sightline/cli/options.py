"""Types of option values, and the options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.engine.batch_rows import AUTO, BatchRows
from sightline.engine.settings import DEFAULT_MAX_IMAGE_BYTES
from sightline.wrong_option import require_known

if TYPE_CHECKING:
    from sightline.source.list_images import ImageSource

PATH = click.Path(path_type=Path)
AT_LEAST_1 = click.IntRange(min=1)
MODELS_HELP = (
    "Folder of model bundles; default: $SIGHTLINE_MODELS, else ./models. Commands that read a "
    "model also search ./models and the built-in models."
)
IMAGES_HELP = "Folder, glob pattern, or CSV/Parquet table of image paths."
OVERWRITE_HELP = "Replace --output if it exists."
BATCH_ROWS_HELP = (
    "Images that the model processes at once. auto is the number that `models add` measured for "
    "the backend on a CPU. If none was measured, and on a GPU, it is 32."
)
ALLOW_CODE_HELP = (
    "Allow the model's bundle to run Python code from any package. Only for models you trust."
)


class KnownName(click.Choice[str]):
    """A name from a list; another value is the error UNKNOWN_…, as in the jar."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(list(names))

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return the name.

        Raises:
            WrongUseError: UNKNOWN_…, by the name of the option.
        """
        option = param.opts[0] if param is not None else ""
        require_known(option, str(value), self.choices)
        return super().convert(value, param, ctx)


def read_batch_rows(text: str) -> BatchRows:
    """Return the number of rows in a batch, or ``auto``.

    Raises:
        click.BadParameter: For a text that is neither ``auto`` nor an integer of at least 1.
    """
    if text == AUTO:
        return AUTO
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"'{text}' must be auto, or a whole number of at least 1.")
    return int(text)


class FloatInRange(click.FloatRange):
    """A number in a range. click.FloatRange accepts NaN, this type does not."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the number.

        Raises:
            click.BadParameter: If it is not a number, or outside the range.
        """
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


SHARE = FloatInRange(0, 1)

_COLUMN_OPTIONS = (
    click.option(
        "--labels",
        type=KnownName(["auto", "folder", "none"]),
        default="auto",
        show_default=True,
        help="True labels: auto is a table's label column, else the image's folder; folder is "
        "always the image's folder.",
    ),
    click.option(
        "--path-column", help="A table's column of image paths; default: path, image_path or file."
    ),
    click.option(
        "--label-column",
        help="A table's column of true labels; default: label, actual_class or class.",
    ),
)
_MORE_COLUMN_OPTIONS = (
    click.option(
        "--label-id-column",
        help="A table's column of true class ids; default: class_id, actual_class_id or label_id.",
    ),
    click.option(
        "--content-column",
        help="A table's column of encoded images; default: content, if it is binary.",
    ),
)
_TABLE_OPTIONS = (
    click.option(
        "--root",
        type=PATH,
        help="Folder that a table's relative paths start from; default: the table's folder.",
    ),
    click.option(
        "--delimiter", help="Delimiter of a CSV: one character, or tab; default: a comma."
    ),
    click.option(
        "--encoding", help="Encoding of a CSV, such as utf-16 or windows-1252; default: utf-8."
    ),
)
_FILE_OPTIONS = (
    click.option(
        "--include",
        metavar="PATTERNS",
        help="Files to read from a folder or glob, such as '*.jpg,*.png'. Default: a folder's "
        "files with an image ending. '*' reads every file.",
    ),
    click.option(
        "--exclude",
        metavar="PATTERNS",
        help="Files of a folder or glob to leave out, such as 'thumbs/*'.",
    ),
)
_READ_OPTIONS = (
    click.option("--limit", type=AT_LEAST_1, help="Read only the first N images."),
    click.option(
        "--max-image-bytes",
        type=AT_LEAST_1,
        default=DEFAULT_MAX_IMAGE_BYTES,
        show_default=True,
        help="A larger file gives the error TOO_LARGE.",
    ),
)


def add_options(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return one decorator that adds these click options, in their order in `--help`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


file_options = add_options(*_FILE_OPTIONS)
"""`--include` and `--exclude`, for a command that has `--images`."""

listing_options = add_options(*_COLUMN_OPTIONS, *_TABLE_OPTIONS, *_FILE_OPTIONS)
"""The options that choose images and their labels, for a command that has `--images`."""

image_options = add_options(
    *_COLUMN_OPTIONS, *_MORE_COLUMN_OPTIONS, *_TABLE_OPTIONS, *_FILE_OPTIONS, *_READ_OPTIONS
)
"""`listing_options`, and those of a command that opens the images."""


def image_source(given: dict[str, Any]) -> ImageSource:
    """Return the images that a command's options name.

    Args:
        given: Values of `listing_options` or `image_options`, by parameter name, and ``images``.

    Raises:
        WrongUseError: INVALID_OPTION for a wrong delimiter or encoding.
    """
    # Imported here because `--help` must not load pyarrow.
    from sightline.source.csv_table import parse_dialect
    from sightline.source.list_images import ImageSource
    from sightline.source.table_columns import TableColumns

    columns = TableColumns(
        given["path_column"],
        given["label_column"],
        given.get("label_id_column"),
        given.get("content_column"),
        use_labels=given["labels"] != "none",
        csv=parse_dialect(given["delimiter"], given["encoding"]),
    )
    return ImageSource(
        given["images"],
        given["labels"],
        columns,
        given["root"],
        given.get("limit"),
        given["include"],
        given["exclude"],
    )
