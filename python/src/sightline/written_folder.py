"""Folders that runs have written, whose files are no images of a collection."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

_UNFINISHED = re.compile(r"(.+)\.incomplete-([0-9a-f]{8})")


def is_output(folder: str, names: Collection[str]) -> bool:
    """Whether a run of Sightline has written a folder.

    Not so of `subset`, whose output is links to images.

    Args:
        folder: Its path.
        names: Of all that is in it.
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
    """Whether nothing but what a run or `models add` has written is deleted with a folder."""
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
    """Those of pca and evaluate, which write no data beside their record."""
    return "run.json" in names and ("components" in names or "metrics.json" in names)


def unfinished(names: Collection[str]) -> set[str]:
    """Which of a folder's names are folders that a run is writing, or was when it was killed."""
    found = (_UNFINISHED.fullmatch(name) for name in names)
    return {match[0] for match in found if match and f".{match[1]}.run-{match[2]}" in names}
