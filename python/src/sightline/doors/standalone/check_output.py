"""Whether a folder may be written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sightline.errors import WrongUseError
from sightline.publish import require_apart, tell_leftovers


def check_output(
    output: Path, reads: Iterable[str | Path], *, overwrite: bool
) -> WrongUseError | None:
    """Refuse an output that is there, unless it may be replaced and holds nothing that is read.

    Args:
        output: The folder to make.
        reads: What the command is known to read by now: see also `require_apart`.
        overwrite: Whether it may be replaced.

    Returns:
        The error of an output that appears while the command runs; None if it may be replaced.

    Raises:
        WrongUseError: OUTPUT_EXISTS or OUTPUT_HOLDS_INPUT.
    """
    tell_leftovers(output)
    require_apart(output, reads)
    if overwrite:
        return None
    message = f"{output} exists. Choose another --output, or add --overwrite."
    there = WrongUseError("OUTPUT_EXISTS", message)
    if output.exists():
        raise there
    return there
