"""Recognise errors that mean that the machine ran out of memory."""

from __future__ import annotations

from sightline.errors import SightlineError

# In messages of onnxruntime, PyTorch and OpenVINO, which raise RuntimeError or similar classes.
_WORDS = (
    "bad_alloc",
    "bad allocation",
    "out of memory",
    "failed to allocate memory",
    "can't allocate memory",
    "cannot allocate memory",
)


def raise_if_out_of_memory(error: Exception, what: str) -> None:
    """Raise OUT_OF_MEMORY if the error means that memory ran out.

    Args:
        error: A MemoryError, or an exception of a model's runtime.
        what: What needs the memory, as the subject of the message.

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
