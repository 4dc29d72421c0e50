"""Errors with a condition, a message that states cause and remedy, and an exit status."""

from __future__ import annotations

from functools import cache
from typing import Any


class SightlineError(Exception):
    """A run failed.

    Args:
        code: Name of the condition in `error_conditions`, such as ``DEVICE_UNAVAILABLE``.
        message: One or two sentences for people, without the code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def exit_status(self) -> int:
        """Exit status of a command with this error: 1 if the run failed, 2 for wrong use."""
        return exit_status(self.code)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class WrongUseError(SightlineError):
    """The user's request is wrong (exit status 2, without a stack trace)."""


@cache
def error_conditions() -> dict[str, dict[str, Any]]:
    """Return all conditions by name. The jar reads the same file.

    Returns:
        For each condition `meaning`, `message` (lines with ``<parameters>``), `sqlState` and
        `exitStatus`.
    """
    # Imported here because every worker imports this module, and only failures need the file.
    import json
    from importlib import resources

    # The package is a folder, or a zip that the jar sends to its workers.
    text = resources.files("sightline").joinpath("error_conditions.json").read_text("utf-8")
    conditions: dict[str, dict[str, Any]] = json.loads(text)
    return conditions


def exit_status(condition: str) -> int:
    """Return the exit status of a command that fails with `condition`: 1 or 2.

    Raises:
        KeyError: If there is no such condition.
    """
    status: int = error_conditions()[condition]["exitStatus"]
    return status
