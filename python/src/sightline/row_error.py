"""The error half of the row contract: what went wrong with one image."""

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


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one image has no prediction: a value, for a bad row is data and not an exception.

    Args:
        code: Stable name, for programs.
        stage: Where in the flow it was found.
        message: For people; made one line of at most 300 characters, never image bytes.
    """

    code: ErrorCode
    stage: Stage
    message: str

    def __post_init__(self) -> None:
        line = " ".join(self.message.split())
        printable = "".join(c if c.isprintable() else "?" for c in line)
        object.__setattr__(self, "message", printable[:MAX_MESSAGE_CHARACTERS])
