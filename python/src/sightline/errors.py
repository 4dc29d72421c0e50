"""Errors that a person can act on: each names the thing, what is wrong, why, and what to do."""


class SightlineError(Exception):
    """A run cannot go on (exit status 1).

    Args:
        code: Stable name in capitals, for programs: ``DEVICE_UNAVAILABLE``.
        message: One or two sentences for people, without the code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class WrongUseError(SightlineError):
    """What was asked for cannot be done as asked (exit status 2, never a stack trace)."""
