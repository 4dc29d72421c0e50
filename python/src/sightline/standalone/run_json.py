"""The file in a command's output that tells how it came about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sightline.version import __version__


def write_run_json(folder: Path, command: str, started: float, facts: dict[str, Any]) -> None:
    """Write ``_run/run.json``; the underscore hides it from readers of the folder's data.

    Args:
        folder: The output.
        command: Its name.
        started: Unix time in seconds.
        facts: What else there is to say; values that are not JSON are written as their text.
    """
    record = {
        "command": command,
        "version": __version__,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        **facts,
    }
    (folder / "_run").mkdir()
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"
    (folder / "_run" / "run.json").write_text(text, "utf-8")
