"""Errors that a person can act on: each names the thing, what is wrong, why, and what to do."""

from __future__ import annotations

from functools import cache
from typing import Any


class SightlineError(Exception):
    """A run cannot go on.

    Args:
        code: The condition's name, one of `error_conditions`: ``DEVICE_UNAVAILABLE``.
        message: One or two sentences for people, without the code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def exit_status(self) -> int:
        """Of a command: 1 when the run failed, 2 when it was asked for wrongly."""
        return exit_status(self.code)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class WrongUseError(SightlineError):
    """What was asked for cannot be done as asked (exit status 2, never a stack trace)."""


@cache
def error_conditions() -> dict[str, dict[str, Any]]:
    """Every condition by its name, from the file that the jar reads too.

    Returns:
        Of each: `meaning`, `message` (lines with ``<parameters>``), `sqlState`, `exitStatus`.
    """
    # Only here: what fails reads them, and every command and worker imports this module.
    import json
    from importlib import resources

    # From a folder, or from the zip that the jar sends to its workers.
    text = resources.files("sightline").joinpath("error_conditions.json").read_text("utf-8")
    conditions: dict[str, dict[str, Any]] = json.loads(text)
    return conditions


def exit_status(condition: str) -> int:
    """What a command ends with when it fails for `condition`: 1 or 2.

    Raises:
        KeyError: If there is no such condition.
    """
    status: int = error_conditions()[condition]["exitStatus"]
    return status
