"""The hash that an object store keeps of an object, compared with a local file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_MIB = 1 << 20
_READ_BYTES = 4 * _MIB
# The part sizes of common programs: Arrow has 10 MiB, the AWS command line 8, s3fs 50, and so on.
_PART_MIB = (5, 8, 10, 15, 16, 25, 32, 50, 64, 100, 128, 256, 512, 1024)
_ETAG = re.compile(r'"?([0-9a-f]{32})(?:-(\d+))?"?')


@dataclass(frozen=True)
class StoredHash:
    """The MD5 of an object, or of its parts.

    Attributes:
        md5: 32 hexadecimal digits; empty if the store has no hash.
        parts: Number of the parts in which the object was uploaded; 0 if it has one MD5.
        is_certain: False for the ETag of S3, which is no MD5 if the object is encrypted by a key of
            the customer.
    """

    md5: str = ""
    parts: int = 0
    is_certain: bool = True

    @staticmethod
    def of(metadata: Mapping[Any, Any]) -> StoredHash:
        """Read the metadata that Arrow returns for an object of S3 or of Google's store."""
        texts = {_text(name): _text(value) for name, value in metadata.items()}
        if texts.get("md5Hash"):
            return StoredHash(base64.b64decode(texts["md5Hash"]).hex())
        found = _ETAG.fullmatch(texts.get("ETag", ""))
        if found is None:
            return StoredHash()
        return StoredHash(found[1], int(found[2] or 0), is_certain=False)

    def matches(self, file: Path) -> bool | None:
        """Whether the file has the hash; None if that cannot be known."""
        if not self.md5:
            return None
        if not self.parts:
            return self.md5 == md5_of(file)
        size = file.stat().st_size
        if self.parts == 1:
            return self.md5 == _md5_of_parts(file, max(1, size))
        sizes = [mib * _MIB for mib in _PART_MIB if -(-size // (mib * _MIB)) == self.parts]
        # One of the sizes is probably right, but the uploading program may have used another one.
        return True if any(self.md5 == _md5_of_parts(file, part) for part in sizes) else None


def md5_of(file: Path) -> str:
    """Return the MD5 of a file in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _md5_of_parts(file: Path, part_bytes: int) -> str:
    whole = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        for digest in _digests(file, stream, part_bytes):
            whole.update(digest)
    return whole.hexdigest()


def _digests(file: Path, stream: BinaryIO, part_bytes: int) -> Iterator[bytes]:
    # An empty file has one empty part.
    for _ in range(max(1, -(-file.stat().st_size // part_bytes))):
        part = hashlib.md5(usedforsecurity=False)
        left = part_bytes
        while left and (data := stream.read(min(left, _READ_BYTES))):
            part.update(data)
            left -= len(data)
        yield part.digest()


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
