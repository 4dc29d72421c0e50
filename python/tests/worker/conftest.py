import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The garbage collector sees again what a worker's task has frozen.

    What is frozen when Python ends is never freed: torch's libraries then print hundreds of lines.
    """
    yield
    gc.unfreeze()
