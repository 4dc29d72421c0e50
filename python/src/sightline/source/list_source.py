"""Images of a source of another package: an archive, a store, a camera."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa

from sightline.errors import WrongUseError
from sightline.extensions import extension_names, load_extension
from sightline.row_error import RowError
from sightline.source.list_folder import Labels
from sightline.source.listing import Listing, path_columns


@dataclass(frozen=True, slots=True)
class SourceImages:
    """What a source lists.

    Args:
        names: Of the images, for the column ``path``; with ``/`` between folders.
        read: Gives the bytes of the image at an index of `names`, or its error. Every exception
            except MemoryError becomes an error of the row. One thread calls it, in the order of
            the names.
        labels: The true label of each image, None where it is not known; None for the folder
            that an image is in.
    """

    names: Sequence[str]
    read: Callable[[int], bytes | RowError]
    labels: Sequence[str | None] | None = None


# What the entry point of a source, in the group `sightline.sources`, names: a function that takes
# the text of `--images` and lists the images without reading them.
SourceFunction = Callable[[str], SourceImages]


def find_source(images: str) -> str | None:
    """Return the name of the installed source for a text of `--images`, or None.

    The name of a source is a URI scheme (``NAME://…``) or a suffix (``….NAME``), in any case. A
    glob has no suffix: it names files, and not one archive.
    """
    is_uri = "://" in images
    scheme = images.partition("://")[0] if is_uri else ""
    is_glob = not is_uri and glob.has_magic(images) and not Path(images).exists()
    suffix = "" if is_glob else PurePosixPath(images).suffix[1:]
    wanted = {one.lower() for one in (scheme, suffix) if one}
    return next((n for n in extension_names("sightline.sources") if n.lower() in wanted), None)


def list_source(name: str, images: str, labels: Labels) -> Listing:
    """List the images of an installed source.

    Args:
        name: From `find_source`.
        images: The text of `--images`.
        labels: ``auto``: those of the source; ``folder``: the folder of each image; ``none``.

    Raises:
        WrongUseError: BROKEN_EXTENSION; whatever the source raises for a text that it cannot read.
    """
    function: SourceFunction = load_extension("sightline.sources", name)
    found = function(images)
    true: list[str | None] = [None] * len(found.names)
    if labels == "folder" or (labels == "auto" and found.labels is None):
        true = [PurePosixPath(one).parent.name or None for one in found.names]
    elif labels == "auto" and found.labels is not None:
        true = list(found.labels)
    names = list(found.names)
    table = pa.table(path_columns(names, true, None))
    return Listing(table, names, {}, read=lambda row: _read(name, found, row))


def _read(name: str, images: SourceImages, row: int) -> bytes | RowError:
    """Return the bytes of one image of the source `name`, or its error.

    Raises:
        WrongUseError: BROKEN_EXTENSION if the source returns another type.
        MemoryError, OSError: If the process has no memory or no file handles left.
    """
    try:
        found: object = images.read(row)
    except MemoryError:
        raise
    except OSError as error:
        return RowError.from_os(error, "read")
    except Exception as error:  # noqa: BLE001 - one image never ends a run
        return RowError("IO", "read", f"{type(error).__name__}: {error}")
    if isinstance(found, bytearray | memoryview):
        return bytes(found)
    if isinstance(found, bytes | RowError):
        return found
    raise WrongUseError(
        "BROKEN_EXTENSION",
        f"the source '{name}' returned {type(found).__name__} for {images.names[row]}, not bytes "
        "or a RowError. Fix or uninstall its package.",
    )
