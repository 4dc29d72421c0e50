"""The error of one image: why it has no prediction."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Literal

ErrorCode = Literal[
    "EMPTY",
    "NOT_FOUND",
    "DENIED",
    "CHANGED",
    "IO",
    "UNSUPPORTED",
    "TRUNCATED",
    "CORRUPT",
    "TOO_LARGE",
    "INVALID_INPUT",
    "MODEL",
]
Stage = Literal["list", "read", "decode", "feed", "infer"]

MAX_MESSAGE_CHARACTERS = 300
# No memory, or no file handles: a failure of the process, which would fail for any file.
_EXHAUSTED = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one image has no prediction. It is a value in a row, not an exception.

    Args:
        code: Stable name, for programs.
        stage: The step that failed.
        message: For people. It is shortened to one line of at most 300 characters, and never
            contains image bytes.
    """

    code: ErrorCode
    stage: Stage
    message: str

    def __post_init__(self) -> None:
        line = " ".join(self.message.split())
        printable = "".join(c if c.isprintable() else "?" for c in line)
        object.__setattr__(self, "message", printable[:MAX_MESSAGE_CHARACTERS])

    @staticmethod
    def from_os(error: OSError | ValueError, stage: Stage) -> RowError:
        """Return NOT_FOUND, DENIED or IO, with the operating system's message.

        Args:
            error: Raised when one path was opened or read. A ValueError means that the path
                contains a null character.
            stage: The step that failed.

        Raises:
            OSError: `error` itself, if the process has no memory or no file handles left.
        """
        if isinstance(error, OSError) and error.errno in _EXHAUSTED:
            raise error
        code: ErrorCode = "IO"
        if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
            code = "NOT_FOUND"
        elif isinstance(error, PermissionError):
            code = "DENIED"
        text = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return RowError(code, stage, f"{text}.")
