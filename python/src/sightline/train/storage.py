"""Files of a run: in a local folder, or below a URI of a store that fsspec knows (gs://, s3://)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from sightline.place import local_path

_SCHEMES = {"s3a": "s3", "s3n": "s3"}


class Storage:
    """A folder, local or remote. A file in it appears complete or not at all.

    Args:
        root: A path, or a URI. ``s3a`` is read as ``s3``.

    Raises:
        ImportError: If the package for the scheme is not installed (gcsfs, s3fs).
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        import fsspec

        text = local_path(os.fspath(root))
        scheme, separator, rest = text.partition("://")
        if separator:
            self.root = f"{_SCHEMES.get(scheme, scheme)}://{rest}".rstrip("/")
        else:
            self.root = str(Path(text).absolute())
        self.is_local = not separator
        self._files: Any
        self._files, self._base = fsspec.core.url_to_fs(self.root)

    def __truediv__(self, name: str) -> Storage:
        return Storage(f"{self.root}/{name}")

    def path(self, name: str = "") -> Path:
        """Return the path of a file of a local folder."""
        return Path(self.root, name)

    def exists(self, name: str = "") -> bool:
        """Whether there is a file or a folder of that name."""
        return bool(self._files.exists(self._full(name)))

    def names(self) -> list[str]:
        """Return the names of the entries, sorted; empty if the folder is missing."""
        try:
            found = self._files.ls(self._base, detail=False, refresh=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted({one.rstrip("/").rpartition("/")[2] for one in found} - {""})

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        content: bytes = self._files.cat_file(self._full(name))
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        if not self.is_local:
            self._files.pipe_file(self._full(name), content)
            return
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)

    def store(self, local: Path, name: str) -> None:
        """Copy a local file into the folder."""
        if not self.is_local:
            self._files.put_file(str(local), self._full(name))
            return
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            shutil.copyfile(local, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def fetch(self, name: str, local: Path) -> None:
        """Copy a file of the folder to a local path."""
        self._files.get_file(self._full(name), str(local))

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return int(self._files.size(self._full(name)))

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all files in it."""
        self._files.rm(self._full(name), recursive=True)

    def _full(self, name: str) -> str:
        return f"{self._base}/{name}" if name else str(self._base)
