"""MLflow's client, quiet, with a limit to its patience, and with failures that are one line."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sightline.errors import SightlineError, WrongUseError
from sightline.track.check_uri import check_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Left alone, the client tries for four minutes. The first setting is for before any work, the
# second for when the work is done: a server that starts again within a minute is waited for.
IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
PATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5"}

_QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
_REFUSED = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")


@contextmanager
def connect(uri: str, patience: Mapping[str, str], advice: str) -> Iterator[MlflowClient]:
    """A client of the server; what the block cannot do there is told as one error.

    Args:
        uri: The server's address.
        patience: IMPATIENT or PATIENT; what the user's environment says goes before it.
        advice: What to do if the server is not there, as a sentence.

    Raises:
        WrongUseError: TRACKING_URI, if the address cannot be one.
        SightlineError: MISSING_PACKAGE, TRACKING_REFUSED, TRACKING_FAILED or TRACKING_UNREACHABLE.
    """
    check_uri(uri)
    own = {name: os.environ[name] for name in patience if name in os.environ}
    with environment({**patience, **own, **_QUIET}):
        try:
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
        except ModuleNotFoundError as error:
            raise WrongUseError(
                "MISSING_PACKAGE",
                f"--mlflow needs the package mlflow-skinny, which {sys.executable} does not have "
                f"({error}). Install it with: pip install 'sightline[track]'.",
            ) from error
        # Each try again would be a warning; the last one is the error.
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
            raise _told(uri, error.error_code, str(error), advice) from error


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Within the block these variables are set; MLflow reads them at each request."""
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


def _told(uri: str, code: str, message: str, advice: str) -> SightlineError:
    # The client's own words run over lines, with the request, a page of HTML and a class's address.
    words = " ".join(message.partition("Response body:")[0].split())
    cause = re.sub(r"[\"']\)+$", "", words.partition("(Caused by ")[2])
    reason = (cause.rpartition(": ")[2] or cause or words)[:500].rstrip(". ")
    if code in _REFUSED:
        return SightlineError(
            "TRACKING_REFUSED",
            f"{uri}: {reason}. Give who you are by the environment variables "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    if code in ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return SightlineError("TRACKING_UNREACHABLE", f"{uri}: {reason}. {advice}")
    return SightlineError(
        "TRACKING_FAILED",
        f"{uri}: {reason} ({code}). Is it the address of an MLflow server itself?",
    )
