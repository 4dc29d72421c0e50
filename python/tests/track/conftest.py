from collections.abc import Iterator

import pytest

from .tracking_server import MLFLOW, start_tracking_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server, started once."""
    if not MLFLOW.is_file():
        pytest.skip(f"there is no {MLFLOW} (run scripts/make_tracking_server.sh)")
    with start_tracking_server(tmp_path_factory.mktemp("mlflow")) as uri:
        yield uri
