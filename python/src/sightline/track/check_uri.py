"""The address of a tracking server, looked at before it is used."""

from __future__ import annotations

import os
from importlib import util
from urllib.parse import urlsplit

from sightline.errors import WrongUseError

_DATABASES = ("mysql", "mssql", "postgresql", "sqlite")
_SERVER = (
    "Start a server with `mlflow server --backend-store-uri sqlite:///mlflow.db`, and give its "
    "address, such as http://127.0.0.1:5000."
)


def check_uri(uri: str) -> None:
    """Refuse an address that cannot work, or that has a password in it.

    Raises:
        WrongUseError: TRACKING_URI; the message repeats no password.
    """
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise WrongUseError("TRACKING_URI", f"--mlflow is no address. {_SERVER}") from None
    scheme = parts.scheme.partition("+")[0]
    if "@" in parts.netloc or parts.query or parts.fragment:
        # The command line is in the list of processes, in Spark's UI and in run.json.
        raise WrongUseError(
            "TRACKING_URI",
            f"--mlflow has a user, a password or a query in it ({scheme}://…), which others could "
            "read. Give the address alone, and the rest by the environment variables "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    if scheme in ("http", "https") and not host:
        raise WrongUseError("TRACKING_URI", f"--mlflow '{uri}' names no host. {_SERVER}")
    if scheme in _DATABASES and not util.find_spec("sqlalchemy"):
        raise WrongUseError(
            "TRACKING_URI",
            f"--mlflow '{uri}' is a database, which only a server of MLflow opens: the client "
            f"that Sightline uses has no sqlalchemy. {_SERVER}",
        )
    if scheme in ("", "file") and os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() not in (
        "true",
        "1",
    ):
        raise WrongUseError(
            "TRACKING_URI",
            f"--mlflow '{uri}' is a folder, and MLflow 3 no longer takes runs into folders unless "
            f"the environment variable MLFLOW_ALLOW_FILE_STORE is true. {_SERVER}",
        )
