"""Recognise folders that Sightline has written, so that they are not read as images."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

_UNFINISHED = re.compile(r"(.+)\.incomplete-([0-9a-f]{8})")


def is_output(folder: str, names: Collection[str]) -> bool:
    """Whether a folder is the output of a run, other than `subset`, whose output is images.

    Args:
        folder: Path of the folder.
        names: Names of its entries.
    """
    if "_run" in names:
        try:
            record = json.loads(Path(folder, "_run", "run.json").read_text("utf-8"))
        except (OSError, ValueError):
            record = {"command": "subset"}
        if not isinstance(record, dict) or record.get("command") != "subset":
            return True
    return _has_results(names)


def is_replaceable(path: Path) -> bool:
    """Whether a folder is empty, or was written by a run or by `models add`."""
    if not path.is_dir():
        return False
    names = {entry.name for entry in path.iterdir()}
    return (
        not names
        or (path / "_run" / "run.json").is_file()
        or "model.json" in names
        or _has_results(names)
    )


def _has_results(names: Collection[str]) -> bool:
    """Whether these are the files of pca or evaluate, which put run.json beside the results."""
    return "run.json" in names and ("components" in names or "metrics.json" in names)


def unfinished(names: Collection[str]) -> set[str]:
    """Return the names of a folder's entries that are incomplete outputs of runs."""
    found = (_UNFINISHED.fullmatch(name) for name in names)
    return {match[0] for match in found if match and f".{match[1]}.run-{match[2]}" in names}
