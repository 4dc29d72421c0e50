"""Read the images of a run, but only below the folders that the user allows."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import fs

from sightline.place import place
from sightline.row_error import RowError

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
# Hadoop and Arrow have different names for S3.
_SCHEMES = {"s3a": "s3", "s3n": "s3"}


@dataclass(frozen=True, slots=True)
class Location:
    """The parts of a path or of a URI as Hadoop writes it, without percent-encoding.

    Args:
        scheme: ``file`` for a local path; ``s3`` also for ``s3a``.
        authority: The bucket or server; empty for a local path.
        path: Path that begins with a slash. A local path is absolute and without links.
    """

    scheme: str
    authority: str
    path: str

    @staticmethod
    def of(text: str) -> Location:
        """Split a path or URI into its parts; links of local paths are resolved."""
        found = _URI.fullmatch(text)
        scheme, rest = (found[1].lower(), found[2]) if found else ("", text)
        if found and rest.startswith("//") and scheme.isalnum() and scheme != "file":
            authority, _, key = rest[2:].partition("/")
            return Location(_SCHEMES.get(scheme, scheme), authority, f"/{key}")
        try:
            return Location("file", "", place(text))
        except (OSError, ValueError):  # a loop of links, or a null character
            return Location("file", "", os.devnull)

    def is_within(self, root: Location) -> bool:
        """Whether this is the root or a path below it."""
        if (self.scheme, self.authority) != (root.scheme, root.authority):
            return False
        if ".." in self.path.split("/"):
            return False
        start = root.path.rstrip("/")
        return self.path == start or self.path.startswith(f"{start}/")


class ImageRoots:
    """The folders, local or in object stores, below which images may be opened.

    Args:
        roots: Paths or URIs of folders; None allows every image.
    """

    def __init__(self, roots: Sequence[str] | None) -> None:
        self._roots = None if roots is None else tuple(map(Location.of, roots))

    def allow(self, location: Location) -> bool:
        """Whether the image at this location may be opened."""
        return self._roots is None or any(map(location.is_within, self._roots))


# Each request to a server that does not answer takes seconds.
_MOST_FAILURES = 16


@dataclass(slots=True)
class _Place:
    """A bucket or server, and its number of failures since its last answer."""

    name: str
    system: fs.FileSystem | None
    prefix: str
    failures: int = 0


def located(paths: list[str], root: str | None) -> list[str]:
    """Return paths that can be opened: relative paths of a table start from its root."""
    if root is None:
        return paths
    start = root.rstrip("/")
    whole = re.compile(r"/|[A-Za-z][A-Za-z0-9+.\-]*:/")  # as in Scala's ReadImageExpression
    return [path if whole.match(path) else f"{start}/{path}" for path in paths]


class ImageReader:
    """Reads images from any file system that Arrow supports, in any number of threads.

    No more requests go to a bucket that cannot be opened, or that failed 16 times in a row.

    Args:
        max_image_bytes: A larger file gets the error TOO_LARGE and is not read.
        roots: Folders of the images that may be opened. Other images get the error DENIED, without
            any access to a disk or server.
    """

    def __init__(self, max_image_bytes: int, roots: ImageRoots) -> None:
        self._roots = roots
        self._max_image_bytes = max_image_bytes
        self._lock = threading.Lock()
        self._local = fs.LocalFileSystem()
        self._places: dict[str, _Place] = {}

    def read(self, path: str) -> bytes | RowError:
        """Read a local path or a URI (``file:``, ``s3://``, ``s3a://``, ``gs://``, …).

        URIs are not percent-encoded, as in Hadoop.

        Returns:
            The file's bytes, or a RowError of NOT_FOUND, DENIED, IO or TOO_LARGE.
        """
        location = Location.of(path)
        if not self._roots.allow(location):
            return RowError("DENIED", "read", "It is outside the folders of --images-root.")
        if location.scheme == "file":
            return self._try(self._local, location.path)
        return self._read_remote(location.scheme, location.authority, location.path[1:])

    def _read_remote(self, scheme: str, authority: str, key: str) -> bytes | RowError:
        if not authority or set(authority) & set("?#@%"):
            # Arrow would read settings and passwords from these parts of a URI.
            return RowError("IO", "read", f"'{authority}' is not the name of a bucket or server.")
        place = self._place(f"{scheme}://{authority}")
        if place.system is None or place.failures >= _MOST_FAILURES:
            return RowError(
                "IO", "read", f"{place.name} does not answer, so it gets no more requests."
            )
        found = self._try(place.system, f"{place.prefix}/{key}")
        failed = isinstance(found, RowError) and found.code == "IO"
        place.failures = place.failures + 1 if failed else 0
        return found

    def _place(self, name: str) -> _Place:
        with self._lock:
            if name not in self._places:
                try:
                    system, prefix = fs.FileSystem.from_uri(name)
                    self._places[name] = _Place(name, system, prefix.rstrip("/"))
                except (OSError, ValueError):
                    self._places[name] = _Place(name, None, "")
            return self._places[name]

    def _try(self, system: fs.FileSystem, path: str) -> bytes | RowError:
        try:
            return self._read(system, path)
        except (OSError, ValueError) as error:
            return RowError.from_os(error, "read")
        except pa.ArrowException as error:
            return RowError("IO", "read", str(error))

    def _read(self, system: fs.FileSystem, path: str) -> bytes | RowError:
        status = system.get_file_info(path)
        if status.type == fs.FileType.NotFound:
            return RowError("NOT_FOUND", "read", "No such file.")
        if status.type != fs.FileType.File:  # a pipe would block
            return RowError("IO", "read", "It is not a regular file.")
        if status.size > self._max_image_bytes:
            message = f"{status.size} bytes; the cap is {self._max_image_bytes}."
            return RowError("TOO_LARGE", "read", message)
        with system.open_input_stream(path, compression=None) as stream:
            content: bytes = stream.read(self._max_image_bytes + 1)
        return content
