"""The files of a vector index, on any storage that pyarrow can write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from sightline.errors import WrongUseError


@dataclass(frozen=True)
class IndexFolder:
    """The folder of an index.

    Attributes:
        path: As the user gave it.
        system: The file system.
        root: The folder's path in it.
    """

    path: str
    system: fs.FileSystem
    root: str

    @classmethod
    def of(cls, path: str) -> IndexFolder:
        """Return the folder of a local path or a URI such as ``hdfs://…`` or ``s3://…``."""
        if "://" in path or path.startswith("file:"):
            system, root = fs.FileSystem.from_uri(path)
            return cls(path, system, root)
        return cls(path, fs.LocalFileSystem(), str(Path(path).absolute()))

    def create(self) -> None:
        """Create the folder.

        Raises:
            WrongUseError: OUTPUT_EXISTS if it exists and is not empty.
        """
        if self.system.get_file_info(fs.FileSelector(self.root, allow_not_found=True)):
            raise WrongUseError(
                "OUTPUT_EXISTS",
                f"{self.path} exists already and is not empty. Choose another path.",
            )
        self.system.create_dir(self.root, recursive=True)

    def write(self, name: str, content: bytes | bytearray) -> None:
        """Write a file."""
        with self.system.open_output_stream(f"{self.root}/{name}") as stream:
            stream.write(content)

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        with self.system.open_input_stream(f"{self.root}/{name}") as stream:
            content: bytes = stream.read()
        return content

    def read_if_exists(self, name: str) -> bytes | None:
        """Return a file's bytes; None if there is no such file."""
        if self.system.get_file_info(f"{self.root}/{name}").type != fs.FileType.File:
            return None
        return self.read(name)
