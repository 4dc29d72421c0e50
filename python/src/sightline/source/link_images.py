"""Some images of a folder as links, in a folder of the same layout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sightline.errors import SightlineError


def link_images(files: Sequence[str], names: Sequence[str], folder: Path) -> Iterator[int]:
    """Make a symbolic link for each file, and give how many there are after each.

    The links are absolute: the folder of links may be moved and renamed, and the images must stay
    where they are. A link whose image went away is listed as an image that is NOT_FOUND.

    Args:
        files: What to link to, absolute.
        names: Where each link goes, below the folder: ``Training/Apple/1.jpg``.
        folder: Exists.

    Raises:
        SightlineError: CANNOT_LINK if the file system has no links.
    """
    made: set[str] = set()
    for count, (file, name) in enumerate(zip(files, names, strict=True), 1):
        link = os.path.join(folder, name)  # noqa: PTH118 - names may be no UTF-8, and many
        parent = os.path.dirname(link)  # noqa: PTH120
        try:
            if parent not in made:
                os.makedirs(parent, exist_ok=True)  # noqa: PTH103
                made.add(parent)
            os.symlink(file, link)  # noqa: PTH211
        except OSError as error:
            raise SightlineError(
                "CANNOT_LINK",
                f"No symbolic link to '{file}' can be made beside the output: {error.strerror}. "
                "Add --manifest to write a table of paths instead.",
            ) from error
        yield count
