"""Reads a file of labels."""

from __future__ import annotations

from pathlib import Path

from sightline.errors import WrongUseError


def read_labels(path: Path) -> tuple[str, ...]:
    """Return one label per line of a UTF-8 file. The line number, from 0, is the class id.

    Raises:
        WrongUseError: BAD_LABELS if the file cannot be read or has an empty line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUseError("BAD_LABELS", f"'{path}' cannot be read as UTF-8: {error}.") from error
    labels = tuple(line.strip() for line in text.rstrip("\n").split("\n"))
    if "" in labels:
        raise WrongUseError(
            "BAD_LABELS",
            f"line {labels.index('') + 1} of '{path}' is empty. Each line is the label of a class.",
        )
    return labels
