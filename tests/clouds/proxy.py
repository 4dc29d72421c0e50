"""A proxy in front of an object store: it counts requests, and fails when a test wants it to."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# As S3 and Google write them; the connectors read the status.
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
NOT_PASSED = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


class Proxy:
    """The proxy, which listens on a free port of this machine.

    Attributes:
        counts: The number of requests by kind: ``LIST``, ``GET``, ``HEAD``, ``PUT``, …
        failed: The number of requests that were answered by 503.
        fail_every: Answer each n-th request by 503; 0: none.
        spared: Kinds of requests that are never answered by 503.
        corrupt: Change a byte of so many answers with an object's content.
        cut_after: Close every connection after so many bytes of objects' content; None: never.
        served: The number of bytes of objects' content that were answered.
        drop_after: Close every connection after so many writes of objects; None: never.
        met: Whether the requests of a meeting have come.
    """

    def __init__(self, port: int) -> None:
        self.backend = port
        self.counts: Counter[str] = Counter()
        self.failed = 0
        self.fail_every = 0
        self.drop_after: int | None = None
        self.spared: frozenset[str] = frozenset()
        self.corrupt = 0
        self.cut_after: int | None = None
        self.served = 0
        self._seen = 0
        self._meeting: tuple[str, threading.Barrier] | None = None
        self._before: tuple[str, Callable[[], None]] | None = None
        self.met = False
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop the proxy."""
        self._server.shutdown()
        self._server.server_close()

    def heal(self) -> None:
        """Let every request pass, and count from zero."""
        self.fail_every, self.drop_after, self.failed = 0, None, 0
        self.corrupt, self.cut_after, self.served = 0, None, 0
        self.counts.clear()

    def meet(self, name: str) -> None:
        """Hold the next two requests that write an object of this name until both have come.

        Then the store gets one after the other. A real store compares the condition of a write and
        writes in one step; moto does not, and could accept both at the same time.
        """
        self.met = False
        self._meeting = (name, threading.Barrier(2, timeout=60))

    def before_write(self, name: str, act: Callable[[], None]) -> None:
        """Call ``act`` once, before the next request that writes an object of this name."""
        self._before = (name, act)

    def wait(self, method: str, path: str) -> None:
        """Wait for the other request of a meeting, or do what comes before a write."""
        if self._before and method in ("PUT", "POST") and self._before[0] in path:
            (_, act), self._before = self._before, None
            act()
        if (
            self._meeting
            and method in ("PUT", "POST")
            and self._meeting[0] in path
            and not self.met
        ):
            self._meeting[1].wait()
            self.met = True

    def turn(self, method: str, path: str) -> AbstractContextManager[object]:
        """Return what the requests of a meeting hold while the store answers them."""
        if self._meeting and method in ("PUT", "POST") and self._meeting[0] in path:
            return self._turn
        return nullcontext()

    def content(self, data: bytes) -> bytes:
        """Return the content of an object as it is sent: whole, changed or cut."""
        with self._lock:
            if self.corrupt and data:
                # Another byte each time: two reads must not be equal.
                at = self.corrupt % len(data)
                data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                self.corrupt -= 1
            if self.cut_after is not None:
                data = data[: max(0, self.cut_after - self.served)]
            self.served += len(data)
            return data

    def verdict(self, method: str, path: str) -> str:
        """Count a request, and return ``pass``, ``503`` or ``drop``."""
        with self._lock:
            self._seen += 1
            self.counts[kind(method, path)] += 1
            if self.drop_after is not None and self.counts["PUT"] > self.drop_after:
                return "drop"
            spared = kind(method, path) in self.spared
            if self.fail_every and self._seen % self.fail_every == 0 and not spared:
                self.failed += 1
                return "503"
            return "pass"


def kind(method: str, path: str) -> str:
    """Return the kind of a request of either store."""
    url = urlsplit(path)
    query = parse_qs(url.query, keep_blank_values=True)
    if method == "GET" and ("list-type" in query or url.path.rstrip("/").endswith("/o")):
        return "LIST"
    if method == "POST" and "/upload/" in url.path:
        return "PUT"
    return method


def is_object(answer: http.client.HTTPResponse) -> bool:
    """Whether an answer has the content of an object, not a list or the facts of an object."""
    return not answer.headers.get_content_type().endswith(("xml", "json"))


class _Handler(BaseHTTPRequestHandler):
    owner: Proxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self._body()
        self.owner.wait(self.command, self.path)
        with self.owner.turn(self.command, self.path):
            self._pass(body)

    def _pass(self, body: bytes) -> None:
        verdict = self.owner.verdict(self.command, self.path)
        if verdict == "drop":
            self.close_connection = True
            return
        if verdict == "503":
            self._answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.owner.backend, timeout=60)
        # The Host header stays that of the proxy, because it is part of S3's signature.
        headers = {n: v for n, v in self.headers.items() if n.lower() not in NOT_PASSED}
        headers["Content-Length"] = str(len(body))
        headers.pop("Expect", None)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if kind(self.command, self.path) == "GET" and answer.status in (200, 206):
            sent = self.owner.content(content) if is_object(answer) else content
            self.close_connection = len(sent) < len(content)
            self._answer(answer.status, answer.getheaders(), sent, len(content))
        else:
            self._answer(answer.status, answer.getheaders(), content)
        connection.close()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(
        self,
        status: int,
        headers: list[tuple[str, str]],
        content: bytes,
        announced: int | None = None,
    ) -> None:
        self.send_response(status)
        length = str(len(content) if announced is None else announced)
        for name, value in headers:
            if name.lower() == "content-length":
                # The answer to HEAD has the length of the object and no content.
                length = value if self.command == "HEAD" else length
            elif name.lower() not in NOT_PASSED:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass
