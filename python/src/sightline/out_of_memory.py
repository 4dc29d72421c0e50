"""Memory that ran out: a failure of the machine, not of what it read or ran."""

from __future__ import annotations

from sightline.errors import SightlineError

# onnxruntime, PyTorch and OpenVINO raise a RuntimeError or the like, and say it in these words.
_WORDS = (
    "bad_alloc",
    "bad allocation",
    "out of memory",
    "failed to allocate memory",
    "can't allocate memory",
    "cannot allocate memory",
)


def raise_if_out_of_memory(error: Exception, what: str) -> None:
    """Raise OUT_OF_MEMORY if that is what the error says, in whatever class.

    Args:
        error: A MemoryError, or what a model's runtime raised.
        what: What needs the memory, and for what: the subject of the message.

    Raises:
        SightlineError: OUT_OF_MEMORY.
    """
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(words in text for words in _WORDS):
        raise SightlineError(
            "OUT_OF_MEMORY",
            f"{what} needs more memory than is left. Give each worker more memory, or use fewer "
            "threads or a smaller --batch-rows.",
        ) from error
