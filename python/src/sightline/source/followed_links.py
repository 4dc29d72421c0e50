"""Which links to folders a listing follows, so that it ends and lists each folder once."""

from __future__ import annotations

from pathlib import PurePosixPath


class FollowedLinks:
    """A link is not followed to a folder that it lies in, nor into one that is listed where it is,
    nor to one to which a link has led before. Links to files are files: each is a row.
    """  # noqa: D205 - one rule, one sentence

    def __init__(self) -> None:
        # Real paths of folders with which a walk began: those asked for, and where links have led.
        self._started: set[str] = set()

    def begin(self, folder: str) -> None:
        """Note a folder that is listed with all below it."""
        self._started.add(folder)

    def begun(self, folder: str) -> bool:
        """Whether a walk began with this very folder."""
        return folder in self._started

    def covers(self, folder: str) -> bool:
        """Whether a folder is listed by a walk that began with it or above it."""
        path = PurePosixPath(folder)
        for above in (path, *path.parents):
            if str(above) in self._started:
                return True
            if above.name.startswith(("_", ".")):
                return False  # What is hidden is not listed where it is.
        return False

    def follow(self, source: str, target: str) -> bool:
        """Whether a link is followed; if so, that is noted.

        Args:
            source: The real folder that the link lies in.
            target: The real folder that it leads to.
        """
        leads_up = PurePosixPath(source).is_relative_to(target)
        if leads_up or self.covers(target):
            return False
        self.begin(target)
        return True
