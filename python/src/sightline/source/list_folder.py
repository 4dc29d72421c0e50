"""Images below a folder, or matched by a glob."""

from __future__ import annotations

import glob
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import pyarrow as pa

from sightline.row_error import RowError
from sightline.source.file_filter import FileFilter, ending
from sightline.source.listing import Listing, path_columns, printable_path
from sightline.written_folder import is_output, unfinished

Labels = Literal["auto", "folder", "none"]
_HIDDEN = ("_", ".")
_Found = dict[str, RowError | None]


def list_folder(folder: Path, labels: Labels, files: FileFilter) -> Listing:
    """List every regular file below a folder that the filter accepts, sorted by path.

    Names that begin with ``_`` or ``.``, and outputs of runs, are skipped. A folder that cannot be
    opened gives a row with an error. A folder is listed once, even if several links point to it.

    Args:
        folder: An existing folder.
        labels: Source of the true labels. ``folder``: name of the file's folder; ``auto``: the
            same, but null for files directly in ``folder``; ``none``: null.
        files: Which files are listed.
    """
    root = folder.absolute()
    walk = _Walk(root, files)
    walk.links.begin(os.path.realpath(root))
    return walk.listing(dict(walk.below(str(root), asked=True)), labels)


def list_glob(pattern: str, labels: Labels, files: FileFilter) -> Listing | None:
    """List the files that match a glob, and the files below folders that match.

    Args:
        pattern: A path with at least one of ``*?[``; ``**`` matches any number of folders.
        labels: As in ``list_folder``; the folder is the part of the pattern before any wildcard.
        files: As in ``list_folder``; by default, a file that matches the glob itself is listed
            with any ending.

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
    # Real folders before links, so that a folder is listed under its own path; outer folders
    # before inner ones.
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
    """List one file, with any ending."""
    walk = _Walk(file.absolute().parent, files)
    return walk.listing(walk.taken(str(file.absolute()), found=False), labels)


class _FollowedLinks:
    """Decides which links to folders are followed, so that each folder is listed once.

    A link is not followed if its target contains the link, if the target is listed anyway, or if
    another link led there before. Links to files are always listed.
    """

    def __init__(self) -> None:
        # Real paths of the folders that are listed with everything below them.
        self._started: set[str] = set()

    def begin(self, folder: str) -> None:
        """Record a real path whose folder is listed with everything below it."""
        self._started.add(folder)

    def begun(self, folder: str) -> bool:
        """Whether `begin` was called with this real path."""
        return folder in self._started

    def covers(self, folder: str) -> bool:
        """Whether a real path is listed because of a call of `begin`."""
        path = PurePosixPath(folder)
        for above in (path, *path.parents):
            if str(above) in self._started:
                return True
            if above.name.startswith(("_", ".")):
                return False  # Hidden folders are not listed.
        return False

    def follow(self, source: str, target: str) -> bool:
        """Whether a link is to be followed; if so, its target is recorded.

        Args:
            source: Real path of the folder that contains the link.
            target: Real path of the folder that the link points to.
        """
        leads_up = PurePosixPath(source).is_relative_to(target)
        if leads_up or self.covers(target):
            return False
        self.begin(target)
        return True


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to list.

    Args:
        path: Path through the links that were followed.
        real: Path without links.
        via_link: Whether a link was followed on the way from a requested folder.
    """

    path: str
    real: str
    via_link: bool


@dataclass(frozen=True, slots=True)
class _Inner:
    """A folder in a listed one. It is skipped if it is listed elsewhere."""

    above: _Folder
    path: str
    is_link: bool


class _Walk:
    def __init__(self, root: Path, files: FileFilter) -> None:
        self.links = _FollowedLinks()
        self._root = root
        self._above = os.path.join(root, "")  # noqa: PTH118 - ends with the separator, also of /
        self._files = files
        self._left_out: set[str] = set()
        self._outputs: list[str] = []

    def listing(self, found: _Found, labels: Labels) -> Listing:
        paths = sorted(found)
        errors = {row: error for row, path in enumerate(paths) if (error := found[path])}
        own = [_label(path, self._root, labels) for path in paths]
        # A file that a glob matches is listed, even if its folder is searched and leaves it out.
        left_out = Counter(ending(path) for path in self._left_out.difference(found))
        return Listing(
            pa.table(path_columns(paths, own, None)),
            paths,
            errors,
            self._root,
            left_out=dict(left_out),
            outputs=self._outputs,
        )

    def taken(self, path: str, *, found: bool) -> _Found:
        if self._files.accepts(path.removeprefix(self._above), found=found):
            return {path: None}
        self._left_out.add(path)
        return {}

    def below(self, folder: str, *, asked: bool) -> Iterator[tuple[str, RowError | None]]:
        # No recursion: folders may be nested deeper than Python calls. The last one is next.
        waiting: list[_Folder | _Inner] = [
            _Folder(folder, os.path.realpath(folder), via_link=False)
        ]
        while waiting:
            following = waiting.pop()
            # Whether a link is followed is decided when the walk reaches it, in order of names.
            current = self._next(following) if isinstance(following, _Inner) else following
            if current is None:
                continue
            try:
                with os.scandir(current.path) as scanned:
                    entries = sorted(scanned, key=lambda entry: entry.name)
            except OSError as error:
                yield current.path, RowError.from_os(error, "list")
                continue
            names = {entry.name for entry in entries}
            is_asked = asked and isinstance(following, _Folder)
            if not is_asked and is_output(current.path, names):
                self._outputs.append(current.path)
                continue
            written = unfinished(names)
            inner: list[_Inner] = []
            for entry in entries:
                if entry.name.startswith(_HIDDEN):
                    continue
                path = os.path.join(current.path, entry.name)  # noqa: PTH118 - may be no UTF-8
                if entry.name in written:
                    self._outputs.append(path)
                elif _is_folder(entry):
                    inner.append(_Inner(current, path, entry.is_symlink()))
                elif _is_regular(entry):
                    yield from self.taken(path, found=True).items()
            waiting += reversed(inner)

    def _next(self, inner: _Inner) -> _Folder | None:
        if inner.is_link:
            real = os.path.realpath(inner.path)
            follows = self.links.follow(inner.above.real, real)
            return _Folder(inner.path, real, via_link=True) if follows else None
        name = os.path.basename(inner.path)  # noqa: PTH119
        real = os.path.join(inner.above.real, name)  # noqa: PTH118
        if inner.above.via_link and self.links.begun(real):
            return None
        return _Folder(inner.path, real, inner.above.via_link)


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
        # Only for links, this needs a system call beyond the scan.
        return entry.is_file(follow_symlinks=False) or stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return True  # A dangling link: reading it gives NOT_FOUND.
