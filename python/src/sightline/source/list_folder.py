"""Images below a folder, or matched by a glob."""

from __future__ import annotations

import glob
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from sightline.row_error import RowError
from sightline.source.file_filter import FileFilter, ending
from sightline.source.followed_links import FollowedLinks
from sightline.source.listing import Listing, path_columns, printable_path
from sightline.source.read_error import read_error
from sightline.written_folder import is_output, unfinished

Labels = Literal["auto", "folder", "none"]
_HIDDEN = ("_", ".")
_Found = dict[str, RowError | None]


def list_folder(folder: Path, labels: Labels, files: FileFilter) -> Listing:
    """Every regular file below a folder that the filter takes, sorted by path.

    Names that begin with ``_`` or ``.`` are passed over, and so is what runs have written. A folder
    that cannot be opened is a row with an error. A folder is listed once, however many links lead
    to it: see `FollowedLinks`.

    Args:
        folder: Exists.
        labels: ``folder``: the name of a file's own folder; ``auto``: that too, but null for
            files directly in ``folder``; ``none``: null.
        files: Which files are taken.
    """
    root = folder.absolute()
    walk = _Walk(root, files)
    walk.links.begin(os.path.realpath(root))
    return walk.listing(dict(walk.below(str(root), asked=True)), labels)


def list_glob(pattern: str, labels: Labels, files: FileFilter) -> Listing | None:
    """Files that match a glob (``**`` crosses folders), and what is below folders that match.

    Args:
        pattern: With at least one of ``*?[``.
        labels: As in ``list_folder``; the folder is the pattern's part before any wildcard.
        files: As in ``list_folder``; by default a file that the glob itself matches is taken,
            whatever its ending.

    Returns:
        None if nothing matches.
    """
    absolute = os.path.abspath(pattern)  # noqa: PTH100 - Path would collapse nothing, but resolve
    root = Path(absolute)
    while glob.has_magic(str(root)):
        root = root.parent
    walk = _Walk(root, files)
    found: _Found = {}
    folders = []
    matches = 0
    for match in sorted(glob.glob(absolute, recursive=True)):  # noqa: PTH207 - Path's needs a root
        path = Path(match)
        if any(part.startswith(_HIDDEN) for part in path.relative_to(root).parts):
            continue
        matches += 1
        if path.is_dir():
            folders.append(match.rstrip("/") or "/")
        else:
            found |= walk.taken(match, found=False)
    if not matches:
        return None
    # Real folders first, so that a link to one gives way to it; outer ones before inner ones.
    real = {folder: os.path.realpath(folder) for folder in folders}
    covered = set()
    for folder in sorted(folders, key=lambda folder: (real[folder] != folder, real[folder])):
        if walk.links.covers(real[folder]):
            covered.add(folder)
        else:
            walk.links.begin(real[folder])
    for folder in folders:
        if folder in covered:
            continue
        below = walk.below(folder, asked=False)
        found |= {path: error for path, error in below if path not in found}
    return walk.listing(found, labels)


def list_file(file: Path, labels: Labels, files: FileFilter) -> Listing:
    """A single file, whatever its ending."""
    walk = _Walk(file.absolute().parent, files)
    return walk.listing(walk.taken(str(file.absolute()), found=False), labels)


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    real: str
    away: bool  # whether a link has led out of the folders that were asked for


@dataclass(frozen=True, slots=True)
class _Inner:
    """A folder in another, which may be listed elsewhere."""

    above: _Folder
    path: str
    is_link: bool


class _Walk:
    def __init__(self, root: Path, files: FileFilter) -> None:
        self.links = FollowedLinks()
        self._root = root
        self._above = os.path.join(root, "")  # noqa: PTH118 - ends with the separator, also of /
        self._files = files
        self._left_out: set[str] = set()
        self._passed_over: list[str] = []

    def listing(self, found: _Found, labels: Labels) -> Listing:
        paths = sorted(found)
        errors = {row: error for row, path in enumerate(paths) if (error := found[path])}
        own = [_label(path, self._root, labels) for path in paths]
        # What a glob matches itself is taken, also where its folder is searched.
        left_out = Counter(ending(path) for path in self._left_out.difference(found))
        return Listing(
            pa.table(path_columns(paths, own, None)),
            paths,
            errors,
            self._root,
            left_out=dict(left_out),
            passed_over=self._passed_over,
        )

    def taken(self, path: str, *, found: bool) -> _Found:
        if self._files.takes(path.removeprefix(self._above), found=found):
            return {path: None}
        self._left_out.add(path)
        return {}

    def below(self, folder: str, *, asked: bool) -> Iterator[tuple[str, RowError | None]]:
        # No recursion: folders may be nested deeper than calls. The next one is the last.
        waiting: list[_Folder | _Inner] = [_Folder(folder, os.path.realpath(folder), away=False)]
        while waiting:
            following = waiting.pop()
            # A link is decided on when the walk comes to it, in the order of names.
            current = self._next(following) if isinstance(following, _Inner) else following
            if current is None:
                continue
            try:
                with os.scandir(current.path) as scanned:
                    entries = sorted(scanned, key=lambda entry: entry.name)
            except OSError as error:
                yield current.path, read_error(error, "list")
                continue
            names = {entry.name for entry in entries}
            is_asked = asked and isinstance(following, _Folder)
            if not is_asked and is_output(current.path, names):
                self._passed_over.append(current.path)
                continue
            written = unfinished(names)
            inner: list[_Inner] = []
            for entry in entries:
                if entry.name.startswith(_HIDDEN):
                    continue
                path = os.path.join(current.path, entry.name)  # noqa: PTH118 - may be no UTF-8
                if entry.name in written:
                    self._passed_over.append(path)
                elif _is_folder(entry):
                    inner.append(_Inner(current, path, entry.is_symlink()))
                elif _is_regular(entry):
                    yield from self.taken(path, found=True).items()
            waiting += reversed(inner)

    def _next(self, inner: _Inner) -> _Folder | None:
        if inner.is_link:
            real = os.path.realpath(inner.path)
            follows = self.links.follow(inner.above.real, real)
            return _Folder(inner.path, real, away=True) if follows else None
        name = os.path.basename(inner.path)  # noqa: PTH119
        real = os.path.join(inner.above.real, name)  # noqa: PTH118
        if inner.above.away and self.links.begun(real):
            return None
        return _Folder(inner.path, real, inner.above.away)


def _label(path: str, folder: Path, labels: Labels) -> str | None:
    parent = Path(path).parent
    if labels == "none" or (labels == "auto" and parent == folder):
        return None
    return printable_path(parent.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        # The scan itself tells of all but links.
        return entry.is_file(follow_symlinks=False) or stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return True  # A dangling link was listed: reading it says what is wrong.
