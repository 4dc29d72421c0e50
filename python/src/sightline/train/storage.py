"""Files of a run: in a local folder, or below a URI of an object store (gs://, s3://, s3a://)."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from pyarrow import fs

from sightline.errors import WrongUseError
from sightline.place import local_path
from sightline.transfer.copy_files import send_file, try_again
from sightline.transfer.remote_folder import RemoteFolder, StoreAccess, open_store

_CHUNK_BYTES = 4 << 20


class Storage:
    """A folder, local or remote. A file in it appears complete or not at all.

    Args:
        root: A path, or a URI.
        access: How the object store of a URI is reached.
        system: File system of `root`, in place of the one that the URI names.

    Raises:
        WrongUseError: UNKNOWN_SCHEME or INVALID_OPTION.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        access: StoreAccess | None = None,
        system: fs.FileSystem | None = None,
    ) -> None:
        text = local_path(os.fspath(root))
        self._access = access or StoreAccess()
        self.is_local = "://" not in text
        self.root = str(Path(text).absolute()) if self.is_local else text.rstrip("/")
        self._base = self.root
        self._files: fs.FileSystem
        if self.is_local:
            self._files = fs.LocalFileSystem()
        elif system is None:
            self._files, self._base = open_store(self.root, self._access)
        else:
            self._files, self._base = system, self.root.partition("://")[2]
        self._remote = RemoteFolder(self._files, self._base, self.root)

    def __truediv__(self, name: str) -> Storage:
        return self.beside(f"{self.root}/{name}")

    def beside(self, root: str) -> Storage:
        """Return another folder of the same store."""
        return Storage(root, self._access, None if self.is_local else self._files)

    def path(self, name: str = "") -> Path:
        """Return the path of a file of a local folder."""
        return Path(self.root, name)

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name; in a local folder, also a folder."""
        with self._remote.errors():
            return self._files.get_file_info(self._full(name)).type != fs.FileType.NotFound

    def names(self) -> list[str]:
        """Return the names of the entries, sorted; empty if the folder is missing."""
        # All files below: Arrow lists no folder of Google's store that has no object itself.
        selector = fs.FileSelector(self._base, recursive=not self.is_local, allow_not_found=True)
        with self._remote.errors():
            found = self._files.get_file_info(selector)
        if self.is_local:
            return sorted(one.base_name for one in found)
        start = len(self._base) + 1
        below = (one.path.lstrip("/")[start:] for one in found)
        return sorted({path.partition("/")[0] for path in below} - {""})

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            FileNotFoundError: If it is missing.
        """
        return try_again(self._remote, lambda: self._read_object(name))

    def _read_object(self, name: str) -> bytes:
        with self._files.open_input_file(self._full(name)) as stream:
            content: bytes = stream.read()
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        if not self.is_local:
            try_again(self._remote, lambda: self._write_object(name, content))
            return
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)

    def _write_object(self, name: str, content: bytes) -> None:
        with self._files.open_output_stream(self._full(name)) as stream:
            stream.write(content)

    def store(self, local: Path, name: str) -> None:
        """Copy a local file into the folder. A remote copy is compared with the store's hash.

        Raises:
            SightlineError: HASH_MISMATCH.
        """
        if not self.is_local:
            send_file(local, self._remote, name, {})
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
        """Copy a file of the folder to a local path, which is new."""
        try_again(self._remote, lambda: self._read_anew(name, local))

    def _read_anew(self, name: str, local: Path) -> None:
        local.unlink(missing_ok=True)
        self._remote.read(name, 0, local, _CHUNK_BYTES)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all files in it."""
        full = self._full(name)
        if self.is_local:
            path = self.path(name)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return
        with self._remote.errors():
            if self._files.get_file_info(full).type == fs.FileType.File:
                self._files.delete_file(full)
                return
            below = fs.FileSelector(full, recursive=True, allow_not_found=True)
            for one in self._files.get_file_info(below):
                if one.type == fs.FileType.File:
                    self._files.delete_file(one.path)

    def _full(self, name: str) -> str:
        return f"{self._base}/{name}" if name else self._base


def require_writable(folder: Storage) -> None:
    """Raise an error if this user cannot write a local folder; nothing is created.

    Raises:
        WrongUseError: OUTPUT_NOT_WRITABLE.
    """
    if not folder.is_local:
        return
    path = folder.path()
    while not path.exists() and path != path.parent:
        path = path.parent
    if not path.is_dir():
        raise WrongUseError("OUTPUT_NOT_WRITABLE", f"'{folder.root}': {path} is not a folder.")
    if not os.access(path, os.W_OK | os.X_OK):
        raise WrongUseError(
            "OUTPUT_NOT_WRITABLE", f"'{folder.root}': this user may not write in {path}."
        )


def sha256_of(file: Path) -> str:
    """Return the sha256 of a local file in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
