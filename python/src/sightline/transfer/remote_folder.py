"""A folder in an object store, read and written by Arrow's file systems."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pyarrow import NativeFile, fs

from sightline.errors import SightlineError, WrongUseError
from sightline.transfer.stored_hash import StoredHash
from sightline.wrong_option import invalid_option

_URI = re.compile(r"(gs|s3|s3a)://([^/?#@%]+)/?(.*)", re.DOTALL)
# Within one request. copy_files tries each file several times.
_ATTEMPTS = 4
_RETRY_SECONDS = 15
# Arrow reports the errors of its libraries as texts.
_ERRORS = (
    ("BUCKET_NOT_FOUND", re.compile("NO_SUCH_BUCKET|bucket does not exist")),
    (
        "CREDENTIALS_NOT_FOUND",
        re.compile(
            "default credentials|Could not (?:find|create) .*credentials|NO_CREDENTIALS", re.I
        ),
    ),
    (
        "PERMISSION_DENIED",
        re.compile(
            "ACCESS_DENIED|INVALID_ACCESS_KEY_ID|INVALID_CLIENT_TOKEN|SIGNATURE_DOES_NOT_MATCH|"
            r"PERMISSION_DENIED|UNAUTHENTICATED|(?:status|code)[: ]*40[13]\b"
        ),
    ),
    (
        "STORAGE_UNREACHABLE",
        re.compile(
            "NETWORK_CONNECTION|curl|UNAVAILABLE|SLOW_DOWN|TOO_MANY|THROTTL|"
            r"(?:status|code)[: ]*(?:50\d|429)",
            re.I,
        ),
    ),
)
_ADVICE = {
    "BUCKET_NOT_FOUND": "Check the bucket's name and, on S3, the region.",
    "CREDENTIALS_NOT_FOUND": "Set the credentials as docs/clouds.md describes.",
    "PERMISSION_DENIED": "Check the key, and its permission to read or write the bucket.",
    "STORAGE_UNREACHABLE": "Check the address, and whether the storage is up.",
}


@dataclass(frozen=True)
class StoreAccess:
    """How an object store is reached.

    Args:
        credentials: ``auto``, ``anonymous``, or for gs:// the key file of a service account.
        endpoint: URL of an emulator or of a store that is compatible to S3.
        region: The bucket's region, for S3.
    """

    credentials: str = "auto"
    endpoint: str | None = None
    region: str | None = None


def open_store(uri: str, access: StoreAccess) -> tuple[fs.FileSystem, str]:
    """Return the file system of a URI, and the path in it: BUCKET/NAME.

    Args:
        uri: ``gs://BUCKET/NAME``, ``s3://BUCKET/NAME`` or ``s3a://BUCKET/NAME``, not
            percent-encoded.
        access: How the store is reached.

    Raises:
        WrongUseError: UNKNOWN_SCHEME or INVALID_OPTION.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise WrongUseError(
            "UNKNOWN_SCHEME", f"'{uri}' is not gs://BUCKET/…, s3://BUCKET/… or s3a://BUCKET/…."
        )
    endpoint = access.endpoint
    if endpoint is not None and not re.match("https?://[^/]", endpoint):
        raise invalid_option("--endpoint", endpoint, "It must be a URL, such as http://host:9000.")
    make = _gcs if found[1] == "gs" else _s3
    return make(access.credentials, endpoint, access.region), f"{found[2]}/{found[3]}".rstrip("/")


class RemoteFolder:
    """A folder of an object store.

    Args:
        system: The file system.
        root: The folder in it: BUCKET or BUCKET/NAME.
        uri: The folder as the user gave it, for messages.
    """

    def __init__(self, system: fs.FileSystem, root: str, uri: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self.uri = uri.rstrip("/")

    @staticmethod
    def open(uri: str, access: StoreAccess) -> RemoteFolder:
        """Open a folder, which need not exist. See `open_store`."""
        system, path = open_store(uri, access)
        return RemoteFolder(system, path, uri)

    def list(self) -> dict[str, int]:
        """Return the bytes of each object, by its name below the folder, sorted.

        Raises:
            SightlineError: BUCKET_NOT_FOUND, PERMISSION_DENIED, STORAGE_UNREACHABLE, …
        """
        selector = fs.FileSelector(self._root, recursive=True, allow_not_found=True)
        with self.errors():
            found = self._system.get_file_info(selector)
        start = len(self._root) + 1
        if not found:
            self._require_bucket()
        return {
            one.path[start:]: one.size
            for one in sorted(found, key=lambda one: one.path)
            if one.type == fs.FileType.File
        }

    def hash_of(self, name: str) -> StoredHash:
        """Return the hash that the store has of an object."""
        with _closed_streams(), self._system.open_input_file(f"{self._root}/{name}") as stream:
            return StoredHash.of(stream.metadata() or {})

    def md5_of(self, name: str, chunk_bytes: int) -> str:
        """Read an object, and return its MD5 in hexadecimal digits."""
        read = hashlib.md5(usedforsecurity=False)
        with _closed_streams(), self._system.open_input_file(f"{self._root}/{name}") as stream:
            while data := stream.read(chunk_bytes):
                read.update(data)
        return read.hexdigest()

    def read(self, name: str, start: int, target: Path, chunk_bytes: int) -> None:
        """Append the bytes of an object from ``start`` on to a file."""
        path = f"{self._root}/{name}"
        with _closed_streams(), self._from(path, start) as stream, target.open("ab") as file:
            while data := stream.read(chunk_bytes):
                file.write(data)

    def _from(self, path: str, start: int) -> NativeFile:
        # A stream needs one request of Google's store, a file one for each read.
        if not start:
            return self._system.open_input_stream(path, compression=None)
        file = self._system.open_input_file(path)
        file.seek(start)
        return file

    def write(self, name: str, source: Path, chunk_bytes: int) -> None:
        """Write a file as an object."""
        path = f"{self._root}/{name}"
        with source.open("rb") as file, self._system.open_output_stream(path) as stream:
            while data := file.read(chunk_bytes):
                stream.write(data)

    def _require_bucket(self) -> None:
        bucket = self._root.split("/")[0]
        with self.errors():
            info = self._system.get_file_info(bucket)
        if info.type == fs.FileType.NotFound:
            raise WrongUseError(
                "BUCKET_NOT_FOUND",
                f"{self.uri}: the bucket {bucket} does not exist. {_ADVICE['BUCKET_NOT_FOUND']}",
            )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Convert the errors of the store to errors with a condition."""
        try:
            yield
        except OSError as error:
            raise self._translated(error) from error

    def may_pass(self, error: OSError) -> bool:
        """Whether an error of the store may be gone at the next try."""
        return _condition(error) == "STORAGE_UNREACHABLE"

    def _translated(self, error: OSError) -> SightlineError | OSError:
        """Return the SightlineError of an error of the store; other errors unchanged."""
        condition = _condition(error)
        if not condition:
            return error
        reason = " ".join(str(error).split())[:300]
        message = f"{self.uri}: {reason}. {_ADVICE[condition]}"
        if condition == "STORAGE_UNREACHABLE":
            return SightlineError("STORAGE_UNREACHABLE", message)
        return WrongUseError(condition, message)


@contextmanager
def _closed_streams() -> Iterator[None]:
    """Convert the error of a stream of Google's store that closed itself after a failed request."""
    try:
        yield
    except ValueError as error:
        if "closed file" not in str(error):
            raise
        reason = f"NETWORK_CONNECTION: the store closed the stream ({error.__context__ or error})"
        raise OSError(reason) from error


def _condition(error: OSError) -> str:
    """The condition of an error of the store; empty for other errors."""
    if isinstance(error, FileNotFoundError) or error.errno in (errno.ENOSPC, errno.EACCES):
        return ""
    return next((name for name, pattern in _ERRORS if pattern.search(str(error))), "")


def _s3(credentials: str, endpoint: str | None, region: str | None) -> fs.FileSystem:
    if credentials not in ("auto", "anonymous"):
        raise invalid_option("--credentials", credentials, "For S3 it must be auto or anonymous.")
    # With an endpoint there is no server that knows the region of a bucket.
    known = region or os.environ.get("AWS_REGION") or ("us-east-1" if endpoint else None)
    return fs.S3FileSystem(
        anonymous=credentials == "anonymous",
        endpoint_override=endpoint,
        region=known,
        connect_timeout=10,
        request_timeout=60,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


def _gcs(credentials: str, endpoint: str | None, region: str | None) -> fs.FileSystem:
    if region is not None:
        raise invalid_option("--region", region, "It has no effect with gs://.")
    if credentials not in ("auto", "anonymous"):
        if not Path(credentials).is_file():
            raise invalid_option(
                "--credentials",
                credentials,
                "It must be auto, anonymous, or the key file of a service account.",
            )
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = credentials
    scheme, _, address = (endpoint or "https://").partition("://")
    return fs.GcsFileSystem(
        anonymous=credentials == "anonymous",
        scheme=scheme,
        endpoint_override=address.rstrip("/") or None,
        retry_time_limit=timedelta(seconds=_RETRY_SECONDS),
    )
