"""The bytes of an image, wherever its path leads."""

from __future__ import annotations

import threading

import pyarrow as pa
from pyarrow import fs

from sightline.row_error import RowError
from sightline.source.read_error import read_error

# What Hadoop and Arrow call by different names.
_SCHEMES = {"s3a": "s3", "s3n": "s3"}
_Place = tuple[fs.FileSystem, str]


class ImageReader:
    """Reads images of any file system that Arrow knows; may be used by many threads.

    Args:
        max_image_bytes: A larger file is TOO_LARGE and is not read.
    """

    def __init__(self, max_image_bytes: int) -> None:
        self._max_image_bytes = max_image_bytes
        self._lock = threading.Lock()
        self._places: dict[str, _Place | RowError] = {}

    def read(self, path: str) -> bytes | RowError:
        """Read a local path or a URI (``file:``, ``s3://``, ``s3a://``, ``gs://``, …).

        URIs are taken as Hadoop writes them: with spaces and ``%`` as they are.

        Returns:
            The file's bytes, or a RowError of NOT_FOUND, DENIED, IO or TOO_LARGE.
        """
        try:
            found = self._locate(path)
            return found if isinstance(found, RowError) else self._read(*found)
        except (OSError, ValueError) as error:
            return read_error(error, "read")
        except pa.ArrowException as error:
            return RowError("IO", "read", str(error))

    def _locate(self, path: str) -> _Place | RowError:
        scheme, colon, rest = path.partition(":")
        if not colon or not scheme.isalnum() or "/" in scheme:
            return self._place("local")[0], path
        if scheme == "file":
            return self._place("local")[0], "/" + rest.lstrip("/")
        if not rest.startswith("//"):
            return self._place("local")[0], path  # a colon in a file's name
        authority, _, key = rest[2:].partition("/")
        if not authority or set(authority) & set("?#@%"):
            # Arrow takes settings and passwords from there; a path of a data set gives none.
            return RowError("IO", "read", f"'{authority}' is no name of a bucket or a server.")
        place = self._place(f"{_SCHEMES.get(scheme, scheme)}://{authority}")
        return (place[0], f"{place[1].rstrip('/')}/{key}")

    def _place(self, base: str) -> _Place:
        # One failure is enough: asking a server that is not there takes seconds each time.
        with self._lock:
            if base not in self._places:
                try:
                    self._places[base] = (
                        (fs.LocalFileSystem(), "")
                        if base == "local"
                        else fs.FileSystem.from_uri(base)
                    )
                except (OSError, ValueError) as error:
                    self._places[base] = RowError("IO", "read", str(error))
            place = self._places[base]
        if isinstance(place, RowError):
            raise OSError(place.message)
        return place

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
