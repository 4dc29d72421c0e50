import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Unfreeze the objects that a worker's task has frozen in the garbage collector.

    What is frozen when Python ends is never freed: torch's libraries then print hundreds of lines.
    """
    yield
    gc.unfreeze()
