"""A real MLflow server on this machine, and a proxy that can fail."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

MLFLOW = Path(__file__).resolve().parents[3] / ".tools/mlflow/bin/mlflow"
# On a busy machine the start can take more than a minute.
READY_SECONDS = 180


@contextmanager
def start_tracking_server(folder: Path) -> Iterator[str]:
    """The address of a server that keeps its database and its artifacts in this folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    store = f"sqlite:///{folder}/mlflow.db"
    arguments = ["--backend-store-uri", store, "--artifacts-destination", str(folder / "artifacts")]
    arguments += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(  # noqa: S603 - of .tools, by scripts/make_tracking_server.sh
            [str(MLFLOW), "server", *arguments],
            cwd=folder,
            env=os.environ | quiet,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(uri, server, log)
        yield uri
    finally:
        # The server is a process that starts another one: both are killed.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_until_ready(uri: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=5):  # noqa: S310 - as below
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the MLflow server is not there; its log: {log.read_text()[-2000:]}")


def ask(uri: str, question: str, body: dict[str, Any] | None = None, **query: str) -> Any:  # noqa: ANN401 - JSON
    """The answer of the server's REST interface: ``ask(uri, "runs/get", run_id=…)``."""
    data = None if body is None else json.dumps(body).encode()
    url = f"{uri}/api/2.0/mlflow/{question}?{urllib.parse.urlencode(query)}"
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - the server above
        return json.load(answer)


def artifact(uri: str, run_id: str, path: str) -> bytes:
    """One file of a run, downloaded as from the run's page."""
    query = urllib.parse.urlencode({"run_uuid": run_id, "path": path})
    with urllib.request.urlopen(f"{uri}/get-artifact?{query}") as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


def artifact_paths(uri: str, run_id: str, folder: str = "") -> list[str]:
    """All files of a run, by path."""
    found: list[str] = []
    for file in ask(uri, "artifacts/list", run_id=run_id, path=folder).get("files", []):
        path = file["path"]
        found += artifact_paths(uri, run_id, path) if file["is_dir"] else [path]
    return sorted(found)


@contextmanager
def in_front_of(uri: str, breaks: Callable[[str, str], int | None]) -> Iterator[str]:
    """A proxy that forwards requests until it fails.

    Args:
        uri: The server behind.
        breaks: Of method and path: None to pass it on, 0 to hang up, else the status to answer.
    """

    class Forward(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = breaks(self.command, self.path)
            if status == 0:
                return
            if status is not None:
                self._answer(status, b"")
                return
            headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            request = urllib.request.Request(  # noqa: S310
                uri + self.path, body or None, headers, method=self.command
            )
            try:
                with urllib.request.urlopen(request) as answer:  # noqa: S310
                    self._answer(answer.status, answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

        do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - names of http.server

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
