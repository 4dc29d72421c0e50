"""Images below a folder, or matched by a glob."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa

from sightline.row_error import RowError
from sightline.source.listing import Listing, path_columns, printable_path
from sightline.source.read_error import read_error

Labels = Literal["auto", "folder", "none"]
_HIDDEN = ("_", ".")


def list_folder(folder: Path, labels: Labels) -> Listing:
    """Every regular file below a folder, sorted by path.

    Names that begin with ``_`` or ``.`` are left out. Other files are listed whatever their
    extension: one that is no image becomes a row that says so. A folder that cannot be opened
    is a row with an error as well.

    Args:
        folder: Exists.
        labels: ``folder``: the name of a file's own folder; ``auto``: that too, but null for
            files directly in ``folder``; ``none``: null.
    """
    return _listing(_walk(str(folder.absolute())), folder.absolute(), labels)


def list_glob(pattern: str, labels: Labels) -> Listing:
    """Files that match a glob (``**`` crosses folders), and what is below folders that match.

    Args:
        pattern: With at least one of ``*?[``.
        labels: As in ``list_folder``; the folder is the pattern's part before any wildcard.
    """
    absolute = os.path.abspath(pattern)  # noqa: PTH100 - Path would collapse nothing, but resolve
    fixed = Path(absolute)
    while glob.has_magic(str(fixed)):
        fixed = fixed.parent
    found: list[tuple[str, RowError | None]] = []
    for match in glob.glob(absolute, recursive=True):  # noqa: PTH207 - Path.glob needs a root
        path = Path(match)
        if any(part.startswith(_HIDDEN) for part in path.relative_to(fixed).parts):
            continue
        found.extend(_walk(match) if path.is_dir() else [(match, None)])
    # A recursive pattern matches a folder as well as the files in it.
    return _listing(iter(dict(found).items()), fixed, labels)


def list_file(file: Path, labels: Labels) -> Listing:
    """A single image."""
    return _listing(iter([(str(file.absolute()), None)]), file.absolute().parent, labels)


def _listing(found: Iterator[tuple[str, RowError | None]], folder: Path, labels: Labels) -> Listing:
    rows = sorted(found, key=lambda row: row[0])
    paths = [path for path, _ in rows]
    errors = {row: error for row, (_, error) in enumerate(rows) if error is not None}
    columns = path_columns(paths, [_label(path, folder, labels) for path in paths], None)
    return Listing(pa.table(columns), paths, errors, folder)


def _label(path: str, folder: Path, labels: Labels) -> str | None:
    parent = Path(path).parent
    if labels == "none" or (labels == "auto" and parent == folder):
        return None
    return printable_path(parent.name)


def _walk(folder: str) -> Iterator[tuple[str, RowError | None]]:
    denied: list[OSError] = []
    for parent, subfolders, names in os.walk(folder, onerror=denied.append, followlinks=True):
        subfolders[:] = [
            name
            for name in subfolders
            if not name.startswith(_HIDDEN) and not _leads_up(parent, name)
        ]
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - names may be no UTF-8, and many
            if not name.startswith(_HIDDEN) and _is_regular(path):
                yield path, None
    for error in denied:
        yield str(error.filename), read_error(error, "list")


def _leads_up(parent: str, name: str) -> bool:
    """Whether a subfolder is a link to a folder that it is in: following it would never end."""
    path = Path(parent, name)
    return path.is_symlink() and Path(parent).resolve().is_relative_to(path.resolve())


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except OSError:
        return True  # A dangling link was listed: reading it says what is wrong.
