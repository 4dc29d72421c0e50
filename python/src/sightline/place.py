"""Where a path leads: the one form in which paths are compared."""

from __future__ import annotations

import os
from collections.abc import Iterable


def place(path: str | os.PathLike[str]) -> str:
    """The path that a local path leads to: absolute, without ``..``, links followed.

    Args:
        path: A path, or a ``file:`` URI, in which no letter is percent-encoded, as Hadoop has it.
            What does not exist, such as the part of a glob from its first star on, is kept.
    """
    return os.path.realpath(local_path(os.fspath(path)))


def local_path(path: str) -> str:
    """A ``file:`` URI as a path, percent signs and all; any other text as it is."""
    if not path.startswith("file:/"):
        return path
    rest = path.removeprefix("file:")
    return "/" + rest[2:].partition("/")[2] if rest.startswith("//") else rest


def first_in(paths: Iterable[str | os.PathLike[str]], folder: str | os.PathLike[str]) -> str | None:
    """The first of some paths that leads to a folder or to something in it; None if none does."""
    within = os.path.join(place(folder), "")  # noqa: PTH118
    parents: dict[str, str] = {}
    for path in paths:
        text = local_path(os.fspath(path))
        parent, name = os.path.split(text)
        if parent not in parents:
            parents[parent] = place(parent)
        leads_to = os.path.join(parents[parent], name)  # noqa: PTH118
        # Of a million files in one folder only the links are looked at one by one.
        if name in ("", ".", "..") or os.path.islink(leads_to):  # noqa: PTH114
            leads_to = place(leads_to)
        if os.path.join(leads_to, "").startswith(within):  # noqa: PTH118
            return os.fspath(path)
    return None
