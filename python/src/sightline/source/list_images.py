"""From the text of `--images` to a listing."""

from __future__ import annotations

import glob
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from sightline.errors import WrongUseError
from sightline.source.file_filter import FileFilter, NamePatterns, told
from sightline.source.list_folder import Labels, list_file, list_folder, list_glob
from sightline.source.list_source import find_source, list_source
from sightline.source.list_table import TableColumns, list_table
from sightline.source.listing import Listing
from sightline.source.table_file import table_format


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Which images, and what is known about them.

    Args:
        images: A folder, a glob, one image, or a table: a name that ends with ``.csv``, ``.tsv``
            or ``.parquet``, in any case, whether it is a file or a folder of parts. A source of
            another package takes a URI of its scheme, or a name with its suffix.
        labels: Where true labels come from; see ``list_folder``. A table has its own columns.
        columns: For tables only.
        root: For tables only: what relative paths are relative to.
        limit: Only the first so many; None for all.
        include: For folders and globs: patterns of the files to take, see `NamePatterns`; None: of
            a folder those with the ending of an image.
        exclude: For folders and globs: patterns of the files to leave out.
    """

    images: str
    labels: Labels = "auto"
    columns: TableColumns = field(default_factory=TableColumns)
    root: Path | None = None
    limit: int | None = None
    include: str | None = None
    exclude: str | None = None

    def files(self) -> FileFilter:
        """Which files are taken.

        Raises:
            WrongUseError: INVALID_OPTION for patterns that are none.
        """
        return FileFilter(
            None if self.include is None else NamePatterns("--include", self.include),
            None if self.exclude is None else NamePatterns("--exclude", self.exclude),
        )


def list_images(source: ImageSource) -> Listing:
    """List without opening any image; say on stderr what was left out.

    Raises:
        WrongUseError: PATH_NOT_FOUND, NO_IMAGES, UNKNOWN_COLUMN, BAD_TABLE, BROKEN_EXTENSION, or
            WRONG_ARGUMENTS for an option of tables where there is no table.
    """
    listing = _list(source).first(source.limit)
    left_out = told(listing.left_out, listing.passed_over, source.files())
    if len(listing) == 0:
        hint = left_out or "Give a folder, a glob or a table that does."
        raise WrongUseError("NO_IMAGES", f"{source.images} holds no images. {hint}")
    if left_out:
        sys.stderr.write(f"sightline: {source.images}: {left_out}\n")
    return listing


def _list(source: ImageSource) -> Listing:
    path = Path(source.images)
    is_table = table_format(source.images) is not None
    files = source.files()
    if path.exists() and is_table:
        if source.include is not None or source.exclude is not None:
            message = f"--include and --exclude are for folders and globs; {source.images} is a"
            raise WrongUseError("WRONG_ARGUMENTS", f"{message} table, whose rows are all taken.")
        if source.labels != "folder":
            return list_table(path, source.columns, source.root)
        # The table's class ids go with the table's labels.
        unlabelled = replace(source.columns, use_labels=False)
        return _labelled_by_folder(list_table(path, unlabelled, source.root, needs_path=True))
    table_options = {
        "--path-column": source.columns.path,
        "--label-column": source.columns.label,
        "--label-id-column": source.columns.label_id,
        "--content-column": source.columns.content,
        "--root": source.root,
        "--delimiter": source.columns.csv.delimiter,
        "--encoding": source.columns.csv.encoding,
    }
    is_glob = glob.has_magic(source.images) and not is_table
    extension = None if is_table or path.is_dir() else find_source(source.images)
    if path.exists() or is_glob or extension is not None:
        for option, value in table_options.items():
            if value is not None:
                message = f"{option} is for a CSV or Parquet table; {source.images} is none."
                raise WrongUseError("WRONG_ARGUMENTS", message)
    if extension is not None:
        if source.include is not None or source.exclude is not None:
            message = f"--include and --exclude are for folders and globs; {source.images} is none."
            raise WrongUseError("WRONG_ARGUMENTS", message)
        return list_source(extension, source.images, source.labels)
    if path.is_dir():
        return list_folder(path, source.labels, files)
    if path.exists():
        return list_file(path, source.labels, files)
    found = list_glob(source.images, source.labels, files) if is_glob else None
    if found is None:
        hint = " Alone, Sightline reads local paths; use Spark." if "://" in source.images else ""
        what = "matches nothing" if is_glob else "does not exist"
        raise WrongUseError("PATH_NOT_FOUND", f"{source.images} {what}.{hint}")
    return found


def _labelled_by_folder(listing: Listing) -> Listing:
    labels = [Path(file).parent.name for file in listing.files]
    at = listing.table.column_names.index("label")
    table = listing.table.set_column(at, "label", [labels])
    return replace(listing, table=table)
