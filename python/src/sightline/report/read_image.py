"""The bytes of an image, wherever its path leads."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import fs

from sightline.report.image_roots import ImageRoots, Location
from sightline.row_error import RowError

# A server that is not there takes seconds each time that it is asked.
_MOST_FAILURES = 16


@dataclass(slots=True)
class _Place:
    """A bucket or a server, and how often it has failed since it last answered."""

    name: str
    system: fs.FileSystem | None
    prefix: str
    failures: int = 0


def located(paths: list[str], root: str | None) -> list[str]:
    """Paths as they can be opened: relative ones of a table start from its root."""
    if root is None:
        return paths
    start = root.rstrip("/")
    whole = re.compile(r"/|[A-Za-z][A-Za-z0-9+.\-]*:/")  # as Scala's ReadImage knows them
    return [path if whole.match(path) else f"{start}/{path}" for path in paths]


class ImageReader:
    """Reads images of any file system that Arrow knows; may be used by many threads.

    A bucket that cannot be opened, or fails 16 times with no answer between, is not asked again.

    Args:
        max_image_bytes: A larger file is TOO_LARGE and is not read.
        roots: What lies elsewhere is DENIED, and neither the disk nor a server is asked for it.
    """

    def __init__(self, max_image_bytes: int, roots: ImageRoots) -> None:
        self._roots = roots
        self._max_image_bytes = max_image_bytes
        self._lock = threading.Lock()
        self._local = fs.LocalFileSystem()
        self._places: dict[str, _Place] = {}

    def read(self, path: str) -> bytes | RowError:
        """Read a local path or a URI (``file:``, ``s3://``, ``s3a://``, ``gs://``, …).

        URIs are taken as Hadoop writes them: with spaces and ``%`` as they are.

        Returns:
            The file's bytes, or a RowError of NOT_FOUND, DENIED, IO or TOO_LARGE.
        """
        location = Location.of(path)
        if not self._roots.allow(location):
            return RowError("DENIED", "read", "It lies outside the roots of images.")
        if location.scheme == "file":
            return self._try(self._local, location.path)
        return self._read_remote(location.scheme, location.authority, location.path[1:])

    def _read_remote(self, scheme: str, authority: str, key: str) -> bytes | RowError:
        if not authority or set(authority) & set("?#@%"):
            # Arrow takes settings and passwords from there; a path of a data set gives none.
            return RowError("IO", "read", f"'{authority}' is no name of a bucket or a server.")
        place = self._place(f"{scheme}://{authority}")
        if place.system is None or place.failures >= _MOST_FAILURES:
            return RowError("IO", "read", f"{place.name} does not answer, and is not asked again.")
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
