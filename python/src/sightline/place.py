"""Resolve local paths, so that two paths can be compared."""

from __future__ import annotations

import os
from collections.abc import Iterable


def place(path: str | os.PathLike[str]) -> str:
    """Return the real path: absolute, without ``..`` and without symbolic links.

    Args:
        path: A path, or a ``file:`` URI as Hadoop writes it, without percent-encoding. Parts that
            do not exist, such as the part of a glob from its first star on, are kept.
    """
    return os.path.realpath(local_path(os.fspath(path)))


def local_path(path: str) -> str:
    """Return the path of a ``file:`` URI, without decoding it; any other text unchanged."""
    if not path.startswith("file:/"):
        return path
    rest = path.removeprefix("file:")
    return "/" + rest[2:].partition("/")[2] if rest.startswith("//") else rest


def first_in(paths: Iterable[str | os.PathLike[str]], folder: str | os.PathLike[str]) -> str | None:
    """Return the first path that resolves to the folder or to a path in it; None if none does."""
    within = os.path.join(place(folder), "")  # noqa: PTH118
    parents: dict[str, str] = {}
    for path in paths:
        text = local_path(os.fspath(path))
        parent, name = os.path.split(text)
        if parent not in parents:
            parents[parent] = place(parent)
        leads_to = os.path.join(parents[parent], name)  # noqa: PTH118
        # For speed with a million files in a folder: only links are resolved one by one.
        if name in ("", ".", "..") or os.path.islink(leads_to):  # noqa: PTH114
            leads_to = place(leads_to)
        if os.path.join(leads_to, "").startswith(within):  # noqa: PTH118
            return os.fspath(path)
    return None
