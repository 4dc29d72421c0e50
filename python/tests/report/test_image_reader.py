import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sightline.report.image_reader import ImageReader, ImageRoots
from sightline.row_error import RowError

OBJECTS = {"/photos/a%20b%2520c.jpg": b"12345", "/photos/big.jpg": b"1" * 100}


class Store(BaseHTTPRequestHandler):
    """The parts of an object store that reading an object uses."""

    def do_HEAD(self) -> None:
        content = OBJECTS.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(OBJECTS.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def code(found: bytes | RowError) -> str:
    return found.code if isinstance(found, RowError) else "read"


@pytest.mark.usefixtures("store")
def test_an_object_is_read_by_its_hadoop_uri() -> None:
    reader = ImageReader(50, ImageRoots(None))
    for scheme in ("s3", "s3a"):
        assert reader.read(f"{scheme}://photos/a b%20c.jpg") == b"12345"
    assert code(reader.read("s3a://photos/big.jpg")) == "TOO_LARGE"
    assert code(reader.read("s3a://photos/gone.jpg")) == "NOT_FOUND"


def test_an_invalid_path_is_an_error_of_its_image() -> None:
    reader = ImageReader(50, ImageRoots(None))
    for path in ("nowhere://bucket/a", "s3://b?endpoint_override=x/a", "s3://k:s@b/a", "s3:///a"):
        assert code(reader.read(path)) == "IO"
    for path in ("", "gone.jpg", "a:b.jpg", "null\0.jpg", "file:/gone.jpg"):
        assert code(reader.read(path)) in ("NOT_FOUND", "IO")


@pytest.mark.usefixtures("store")
def test_an_object_outside_the_roots_is_denied_and_no_server_is_asked() -> None:
    reader = ImageReader(50, ImageRoots(["s3://photos/a b%20c.jpg", "s3a://holiday/2026"]))
    assert reader.read("s3a://photos/a b%20c.jpg") == b"12345"
    for path in (
        "s3://photos/big.jpg",
        "s3://holiday/2026-other/a.jpg",
        "s3://holiday/2026/../secret.jpg",
        "gs://photos/a b%20c.jpg",
        "nowhere://host/a.jpg",
        "hdfs://nowhere.invalid/a.jpg",
    ):
        assert code(reader.read(path)) == "DENIED"
