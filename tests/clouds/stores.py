"""Real servers of object stores on this machine: moto for S3, fake-gcs-server for Google."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from .proxy import Proxy

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".tools" / "clouds"
GCS_SERVER = TOOLS / "bin" / "fake-gcs-server"
# Any key is valid, unless moto checks keys.
KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "key"}
NO_MACHINE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-1",
    "NO_GCE_CHECK": "true",
}


@dataclass(frozen=True)
class Store:
    """A running store behind a proxy.

    Attributes:
        cloud: The value of ``--cloud``.
        scheme: The scheme of its URIs.
        options: The options of a command that uses it.
        files: Its file system, which goes past the proxy; paths are BUCKET/NAME.
    """

    cloud: str
    scheme: str
    options: tuple[str, ...]
    proxy: Proxy
    files: fs.FileSystem

    def uri(self, path: str) -> str:
        """Return the URI of BUCKET/NAME."""
        return f"{self.scheme}://{path}"

    def write(self, path: str, content: bytes) -> None:
        """Write an object."""
        with self.files.open_output_stream(path) as stream:
            stream.write(content)

    def read(self, path: str) -> bytes:
        """Return an object."""
        with self.files.open_input_stream(path, compression=None) as stream:
            content: bytes = stream.read()
        return content

    def names(self, folder: str) -> list[str]:
        """Return the names of the objects below a folder."""
        found = self.files.get_file_info(
            fs.FileSelector(folder, recursive=True, allow_not_found=True)
        )
        start = len(folder) + 1
        return sorted(one.path[start:] for one in found if one.type == fs.FileType.File)

    def remove(self, folder: str) -> None:
        """Remove a folder and all objects below it."""
        for name in self.names(folder):
            self.files.delete_file(f"{folder}/{name}")
        with suppress(OSError):  # There may be no object for the folder itself.
            self.files.delete_dir(folder)


@dataclass(frozen=True)
class Moto:
    """A moto server: its port, and the keys of a user who may only read."""

    port: int
    key: str
    secret: str


@contextmanager
def start_moto(*buckets: str, **environment: str) -> Iterator[Moto]:
    """Start moto with buckets such as ``gallery=0`` (see moto_store.py)."""
    command = [str(TOOLS / "bin" / "python"), str(HERE / "moto_store.py"), *buckets]
    with subprocess.Popen(  # noqa: S603 - of .tools, by scripts/make_clouds.sh
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    ) as process:
        assert process.stdout is not None
        yield Moto(**json.loads(process.stdout.readline()))
        process.communicate()


@contextmanager
def start_s3(*buckets: str) -> Iterator[Store]:
    """Start moto behind a proxy."""
    with start_moto(*buckets) as moto:
        proxy = Proxy(moto.port)
        url = f"http://127.0.0.1:{proxy.port}"
        files = fs.S3FileSystem(
            access_key="any",
            secret_key="key",  # noqa: S106 - moto's
            endpoint_override=f"http://127.0.0.1:{moto.port}",
            region="us-east-1",
        )
        yield Store("s3", "s3a", ("--cloud", "s3", "--endpoint", url), proxy, files)
        proxy.close()


@contextmanager
def start_gcs(folder: Path) -> Iterator[Store]:
    """Start fake-gcs-server behind a proxy, with the buckets that are subfolders of a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    proxy = Proxy(port)
    # The server does not know the request by which a client asks how much of an upload has come.
    proxy.spared = frozenset({"PUT"})
    address = f"127.0.0.1:{proxy.port}"
    command = [str(GCS_SERVER), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-backend", "memory", "-data", str(folder), "-log-level", "error"]
    # The addresses of uploads and downloads, which its answers have.
    command += ["-public-host", address, "-external-url", f"http://{address}"]
    with subprocess.Popen(  # noqa: S603 - of .tools, by scripts/make_clouds.sh
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _wait(f"http://127.0.0.1:{port}/storage/v1/b?project=p")
        options = ("--cloud", "gcs", "--endpoint", f"http://{address}")
        files = fs.GcsFileSystem(anonymous=True, endpoint_override=address, scheme="http")
        yield Store("gcs", "gs", (*options, "--credentials", "anonymous"), proxy, files)
        process.terminate()
    proxy.close()


def _wait(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
