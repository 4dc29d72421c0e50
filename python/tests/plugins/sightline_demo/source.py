"""A source of the images in a zip file: `--images photographs.zip`."""

from __future__ import annotations

import zipfile

from sightline.errors import WrongUseError
from sightline.source.list_source import SourceImages


def list_zip(images: str) -> SourceImages:
    """List the files of an archive by their names; the folder of an image is its label."""
    try:
        archive = zipfile.ZipFile(images)
    except (OSError, zipfile.BadZipFile) as error:
        raise WrongUseError("PATH_NOT_FOUND", f"{images} is no zip file: {error}.") from error
    names = sorted(name for name in archive.namelist() if not name.endswith("/"))
    return SourceImages(names, lambda row: archive.read(names[row]))
