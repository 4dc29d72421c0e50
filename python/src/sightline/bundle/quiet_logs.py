"""Suppresses the log messages of packages that make and change graphs."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Suppress all log messages up to the level of a warning within the block."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def quiet_framework() -> Iterator[None]:
    """Suppress a framework's log messages, its warnings about itself, and what it prints."""
    with warnings.catch_warnings(), quiet_logs(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
