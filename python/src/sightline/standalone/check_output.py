"""Whether a folder may be written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sightline.errors import WrongUseError


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
        WrongUseError: OUTPUT_EXISTS, OUTPUT_HOLDS_INPUT or OUTPUT_IN_INPUT.
    """
    # Only here: --help must not pay for it.
    from sightline.publish import require_apart, require_outside, tell_leftovers

    tell_leftovers(output)
    reads = list(reads)
    require_apart(output, reads)
    require_outside(output, [read for read in reads if _is_whole(Path(read))])
    if overwrite:
        return None
    message = f"{output} exists. Choose another --output, or add --overwrite."
    there = WrongUseError("OUTPUT_EXISTS", message)
    if output.exists():
        raise there
    return there


def _is_whole(read: Path) -> bool:
    """Whether a folder is a table or a bundle, all of which is read."""
    return read.suffix == ".parquet" or (read / "model.json").is_file()
