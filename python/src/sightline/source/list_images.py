"""From the text of `--images` to a listing."""

from __future__ import annotations

import glob
from dataclasses import dataclass, field, replace
from pathlib import Path

from sightline.errors import WrongUseError
from sightline.source.list_folder import Labels, list_file, list_folder, list_glob
from sightline.source.list_table import TableColumns, list_table
from sightline.source.listing import Listing
from sightline.source.table_file import table_format


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Which images, and what is known about them.

    Args:
        images: A folder, a glob, one image, or a table: a name that ends with ``.csv`` or
            ``.parquet``, in any case, whether it is a file or a folder of parts.
        labels: Where true labels come from; see ``list_folder``. A table has its own columns.
        columns: For tables only.
        root: For tables only: what relative paths are relative to.
        limit: Only the first so many; None for all.
    """

    images: str
    labels: Labels = "auto"
    columns: TableColumns = field(default_factory=TableColumns)
    root: Path | None = None
    limit: int | None = None


def list_images(source: ImageSource) -> Listing:
    """List without opening any image.

    Raises:
        WrongUseError: PATH_NOT_FOUND, NO_IMAGES, UNKNOWN_COLUMN, BAD_TABLE, or WRONG_ARGUMENTS for
            an option of tables where there is no table.
    """
    listing = _list(source).first(source.limit)
    if len(listing) == 0:
        raise WrongUseError("NO_IMAGES", f"{source.images} holds no images.")
    return listing


def _list(source: ImageSource) -> Listing:
    path = Path(source.images)
    is_table = table_format(source.images) is not None
    if path.exists() and is_table:
        if source.labels != "folder":
            return list_table(path, source.columns, source.root)
        # The table's class ids go with the table's labels.
        unlabelled = replace(source.columns, use_labels=False)
        return _labelled_by_folder(list_table(path, unlabelled, source.root))
    table_options = {
        "--path-column": source.columns.path,
        "--label-column": source.columns.label,
        "--label-id-column": source.columns.label_id,
        "--content-column": source.columns.content,
        "--root": source.root,
    }
    is_glob = glob.has_magic(source.images) and not is_table
    if path.exists() or is_glob:
        for option, value in table_options.items():
            if value is not None:
                message = f"{option} is for a CSV or Parquet table; {source.images} is none."
                raise WrongUseError("WRONG_ARGUMENTS", message)
    if path.is_dir():
        return list_folder(path, source.labels)
    if path.exists():
        return list_file(path, source.labels)
    found = list_glob(source.images, source.labels) if is_glob else None
    if not found:
        hint = " Alone, Sightline reads local paths; use Spark." if "://" in source.images else ""
        raise WrongUseError("PATH_NOT_FOUND", f"{source.images} does not exist.{hint}")
    return found


def _labelled_by_folder(listing: Listing) -> Listing:
    labels = [Path(file).parent.name for file in listing.files]
    at = listing.table.column_names.index("label")
    table = listing.table.set_column(at, "label", [labels])
    return replace(listing, table=table)
