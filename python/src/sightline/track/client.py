"""MLflow's client, with limited retries and with one-line errors."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sightline.errors import SightlineError, WrongUseError
from sightline.require_package import require_package

if TYPE_CHECKING:
    from mlflow import MlflowClient

# By default, the client retries for four minutes. IMPATIENT is for checks before a run, PATIENT
# for logging a finished run: it waits for a server that restarts within a minute.
IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
PATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5"}

_QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
_REFUSED = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")
_DATABASES = ("mysql", "mssql", "postgresql", "sqlite")
_START_SERVER = (
    "Start a server with `mlflow server --backend-store-uri sqlite:///mlflow.db`, and give its "
    "address, such as http://127.0.0.1:5000."
)
_CREDENTIALS = (
    "the environment variables MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
    "MLFLOW_TRACKING_TOKEN"
)


@contextmanager
def connect(uri: str, patience: Mapping[str, str], advice: str) -> Iterator[MlflowClient]:
    """Yield a client of the server; errors of the block become one SightlineError.

    Args:
        uri: The server's address.
        patience: IMPATIENT or PATIENT; variables that the user has set override it.
        advice: A sentence that states what to do if the server does not answer.

    Raises:
        WrongUseError: TRACKING_URI if the address cannot work, or MISSING_PACKAGE.
        SightlineError: TRACKING_REFUSED, TRACKING_FAILED or TRACKING_UNREACHABLE.
    """
    _check_uri(uri)
    require_package("mlflow", install="sightline[track]", purpose="--mlflow")
    own = {name: os.environ[name] for name in patience if name in os.environ}
    with environment({**patience, **own, **_QUIET}):
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        # urllib3 warns at each retry; the last failure is raised as an error anyway.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        try:
            client = MlflowClient(tracking_uri=uri)
        except MlflowException as error:
            why = " ".join(str(error).split())[:500]
            message = f"--mlflow '{uri}' is no address that MLflow's client can use: {why}"
            raise WrongUseError("TRACKING_URI", message) from error
        try:
            yield client
        except MlflowException as error:
            raise _server_error(uri, error.error_code, str(error), advice) from error


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within the block; MLflow reads them at each request."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def artifact_errors(place: str | None) -> Iterator[None]:
    """Convert any error of a block that writes artifacts to one SightlineError.

    Each kind of artifact store raises exceptions of its own.

    Args:
        place: URI of the artifacts, for the message.

    Raises:
        SightlineError: TRACKING_ARTIFACTS if the block raises an exception.
    """
    try:
        yield
    except Exception as error:
        why = " ".join(str(error).split())[:500]
        raise SightlineError(
            "TRACKING_ARTIFACTS",
            f"artifacts cannot be written to {place} ({type(error).__name__}: {why}). If the "
            "server writes them, see its log; otherwise give this process the packages and the "
            "credentials for that place.",
        ) from error


def _check_uri(uri: str) -> None:
    """Raise TRACKING_URI for an address that cannot work or contains a password."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        # The address is not repeated, because it may contain a password.
        message = f"--mlflow is not a valid address. {_START_SERVER}"
        raise WrongUseError("TRACKING_URI", message) from None
    scheme = parts.scheme.partition("+")[0]
    if "@" in parts.netloc or parts.query or parts.fragment:
        # The command line is visible in the list of processes, in Spark's UI and in run.json.
        raise WrongUseError(
            "TRACKING_URI",
            f"--mlflow contains a user, a password or a query ({scheme}://…), which others could "
            f"read. Give the address alone, and the rest by {_CREDENTIALS}.",
        )
    if scheme in ("http", "https") and not host:
        raise WrongUseError("TRACKING_URI", f"--mlflow '{uri}' names no host. {_START_SERVER}")
    if scheme in _DATABASES and not _has_database_stores():
        raise WrongUseError(
            "TRACKING_URI",
            f"--mlflow '{uri}' is a database, which only an MLflow server can open: the client "
            f"that Sightline uses, mlflow-skinny, opens none. {_START_SERVER}",
        )
    allows_folders = os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1")
    if scheme in ("", "file") and not allows_folders:
        raise WrongUseError(
            "TRACKING_URI",
            f"--mlflow '{uri}' is a folder, and MLflow 3 writes no runs into folders unless the "
            f"environment variable MLFLOW_ALLOW_FILE_STORE is true. {_START_SERVER}",
        )


def _has_database_stores() -> bool:
    """Whether the whole of MLflow is installed: the part mlflow-skinny is not for databases."""
    try:
        metadata.distribution("mlflow")
    except metadata.PackageNotFoundError:
        return False
    return True


def _server_error(uri: str, code: str, message: str, advice: str) -> SightlineError:
    # MLflow's message has several lines, with the request, an HTML page and an object's address.
    words = " ".join(message.partition("Response body:")[0].split())
    cause = re.sub(r"[\"']\)+$", "", words.partition("(Caused by ")[2])
    reason = (cause.rpartition(": ")[2] or cause or words)[:500].rstrip(". ")
    if code in _REFUSED:
        return SightlineError(
            "TRACKING_REFUSED", f"{uri}: {reason}. Set your credentials by {_CREDENTIALS}."
        )
    if code in ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return SightlineError("TRACKING_UNREACHABLE", f"{uri}: {reason}. {advice}")
    return SightlineError(
        "TRACKING_FAILED",
        f"{uri}: {reason} ({code}). Check that this is the address of an MLflow server.",
    )
