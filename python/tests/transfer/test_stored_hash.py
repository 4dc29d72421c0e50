import base64
import hashlib
from pathlib import Path

import pytest

from sightline.transfer.stored_hash import StoredHash

MIB = 1 << 20


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def etag(data: bytes, part: int) -> str:
    """The ETag that S3 gives an object that was uploaded in parts of this size."""
    digests = [md5(data[at : at + part]) for at in range(0, max(1, len(data)), part)]
    return f'"{md5(b"".join(digests)).hex()}-{len(digests)}"'


@pytest.mark.parametrize(
    ("data", "metadata", "matches"),
    [
        (b"abc", {b"md5Hash": base64.b64encode(md5(b"abc"))}, True),
        (b"abd", {b"md5Hash": base64.b64encode(md5(b"abc"))}, False),
        (b"abc", {"ETag": f'"{md5(b"abc").hex()}"'}, True),
        (b"abd", {"ETag": f'"{md5(b"abc").hex()}"'}, False),
        (b"abc", {b"ETag": etag(b"abc", 8 * MIB).encode()}, True),
        (b"abd", {b"ETag": etag(b"abc", 8 * MIB).encode()}, False),
        (b"", {b"ETag": etag(b"", 5 * MIB).encode()}, True),
        (b"x" * 17 * MIB, {b"ETag": etag(b"x" * 17 * MIB, 8 * MIB).encode()}, True),
        # Another program may have used any size of parts.
        (b"x" * 17 * MIB, {b"ETag": etag(b"x" * 17 * MIB, 7 * MIB).encode()}, None),
        (b"abc", {b"ETag": b'"a-text"'}, None),
        # Composed objects of Google's store have no MD5.
        (b"abc", {b"crc32c": b"TtsDzw==", b"md5Hash": b""}, None),
    ],
)
def test_a_file_is_compared_with_the_hash_of_either_store(
    data: bytes,
    metadata: dict[bytes | str, bytes | str],
    matches: bool | None,  # noqa: FBT001 - a case's answer
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_bytes(data)
    assert StoredHash.of(metadata).matches(tmp_path / "file") is matches
