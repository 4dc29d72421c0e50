"""What a store of artifacts says, in one line: every kind fails with exceptions of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sightline.errors import SightlineError


@contextmanager
def artifact_errors(place: str | None) -> Iterator[None]:
    """Within the block artifacts are written to this place.

    Raises:
        SightlineError: TRACKING_ARTIFACTS, if that fails.
    """
    try:
        yield
    except Exception as error:
        why = " ".join(str(error).split())[:500]
        raise SightlineError(
            "TRACKING_ARTIFACTS",
            f"artifacts cannot be written to {place} ({type(error).__name__}: {why}). If it is the "
            "server that writes them, see its log; else give this process what that place needs.",
        ) from error
