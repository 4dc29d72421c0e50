"""List the images that `--images` names."""

from __future__ import annotations

import glob
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from sightline.errors import WrongUseError
from sightline.source.file_filter import FileFilter, NamePatterns, describe_left_out
from sightline.source.list_folder import Labels, list_file, list_folder, list_glob
from sightline.source.list_source import find_source, list_source
from sightline.source.list_table import list_table, table_format
from sightline.source.listing import Listing
from sightline.source.table_columns import TableColumns


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The images of a run, as the user names them.

    Args:
        images: A folder, a glob, one image, or a table: a file or folder whose name ends with
            ``.csv``, ``.tsv`` or ``.parquet``. A source of another package takes a URI of its
            scheme, or a name with its suffix.
        labels: Source of the true labels, see ``list_folder``. ``auto`` uses a table's columns.
        columns: The columns of a table.
        root: Folder that a table's relative paths start from; None for the table's folder.
        limit: Number of images at most; None for all.
        include: Patterns of the files of a folder or glob to use, see `NamePatterns`. None: a
            folder's files with the ending of an image.
        exclude: Patterns of the files of a folder or glob to leave out.
    """

    images: str
    labels: Labels = "auto"
    columns: TableColumns = field(default_factory=TableColumns)
    root: Path | None = None
    limit: int | None = None
    include: str | None = None
    exclude: str | None = None

    def files(self) -> FileFilter:
        """Return the filter of file names.

        Raises:
            WrongUseError: INVALID_OPTION for a text without a pattern.
        """
        return FileFilter(
            None if self.include is None else NamePatterns("--include", self.include),
            None if self.exclude is None else NamePatterns("--exclude", self.exclude),
        )


def list_images(source: ImageSource) -> Listing:
    """List the images without opening them; files that are left out are reported on stderr.

    Raises:
        WrongUseError: PATH_NOT_FOUND, NO_IMAGES, UNKNOWN_COLUMN, BAD_TABLE, BROKEN_EXTENSION, or
            WRONG_ARGUMENTS for an option of tables where there is no table.
    """
    listing = _list(source).first(source.limit)
    left_out = describe_left_out(listing.left_out, listing.outputs, source.files())
    if len(listing) == 0:
        hint = left_out or "Give a folder, a glob or a table that contains images."
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
        hint = " Without Spark, only local paths are read." if "://" in source.images else ""
        what = "matches nothing" if is_glob else "does not exist"
        raise WrongUseError("PATH_NOT_FOUND", f"{source.images} {what}.{hint}")
    return found


def _labelled_by_folder(listing: Listing) -> Listing:
    labels = [Path(file).parent.name for file in listing.files]
    at = listing.table.column_names.index("label")
    table = listing.table.set_column(at, "label", [labels])
    return replace(listing, table=table)
