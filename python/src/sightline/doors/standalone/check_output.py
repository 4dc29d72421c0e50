"""Whether a folder may be written."""

from __future__ import annotations

from pathlib import Path

from sightline.errors import WrongUseError


def check_output(output: Path, images: str, *, overwrite: bool) -> WrongUseError | None:
    """Refuse an output that is there, unless it may be replaced, or that holds the images.

    Returns:
        The error of an output that appears while the command runs; None if it may be replaced.

    Raises:
        WrongUseError: OUTPUT_EXISTS or OUTPUT_HOLDS_INPUT.
    """
    if Path(images).resolve().is_relative_to(output.resolve()):
        message = f"{output} holds the images. Choose another --output."
        raise WrongUseError("OUTPUT_HOLDS_INPUT", message)
    if overwrite:
        return None
    message = f"{output} exists. Choose another --output, or add --overwrite."
    there = WrongUseError("OUTPUT_EXISTS", message)
    if output.exists():
        raise there
    return there
