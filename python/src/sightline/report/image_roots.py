"""Where a report may open images: the paths in a run are whatever its author wrote there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.place import place

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
# What Hadoop and Arrow call by different names.
_SCHEMES = {"s3a": "s3", "s3n": "s3"}


@dataclass(frozen=True, slots=True)
class Location:
    """A path or a URI, taken apart as Hadoop writes it: spaces and ``%`` stand for themselves.

    Args:
        scheme: ``file`` for a local path; ``s3`` for what Hadoop calls s3a.
        authority: The bucket or server; empty for a local path.
        path: Begins with a slash; absolute, and without links if it is local.
    """

    scheme: str
    authority: str
    path: str

    @staticmethod
    def of(text: str) -> Location:
        """Take one apart; local paths are followed to the file that they lead to."""
        found = _URI.fullmatch(text)
        scheme, rest = (found[1].lower(), found[2]) if found else ("", text)
        if found and rest.startswith("//") and scheme.isalnum() and scheme != "file":
            authority, _, key = rest[2:].partition("/")
            return Location(_SCHEMES.get(scheme, scheme), authority, f"/{key}")
        try:
            return Location("file", "", place(text))
        except (OSError, ValueError):  # a loop of links, or a null character: nothing is there
            return Location("file", "", os.devnull)

    def is_within(self, root: Location) -> bool:
        """Whether it is the root or lies below it."""
        if (self.scheme, self.authority) != (root.scheme, root.authority):
            return False
        if ".." in self.path.split("/"):
            return False
        start = root.path.rstrip("/")
        return self.path == start or self.path.startswith(f"{start}/")


class ImageRoots:
    """The folders, local or of object stores, below which images may be opened.

    Args:
        roots: Paths or URIs; None allows every image.
    """

    def __init__(self, roots: Sequence[str] | None) -> None:
        self._roots = None if roots is None else tuple(map(Location.of, roots))

    def allow(self, location: Location) -> bool:
        """Whether an image at this place may be opened."""
        return self._roots is None or any(map(location.is_within, self._roots))
