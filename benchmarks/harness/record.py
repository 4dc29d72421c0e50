"""The record of a benchmark, a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import WrongUseError

Record = dict[str, Any]
FORMAT = 2


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        WrongUseError: NO_RESULTS if there is none, or one of another format.
    """
    try:
        record: Record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} is no record of the benchmark ({error}). Run `make bench` first."
        raise WrongUseError("NO_RESULTS", message) from error
    if record.get("format") != FORMAT:
        message = f"{path} has another format. Run `make bench`."
        raise WrongUseError("NO_RESULTS", message)
    return record


def write_record(path: Path, record: Record) -> None:
    """Write the entries of a record. Other entries of an existing file are kept.

    The file is replaced at once, so that an interruption leaves the last complete one.
    """
    kept = earlier_record(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = kept | {"format": FORMAT} | record
    written = path.with_name(f".{path.name}.new")
    written.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")
    written.replace(path)


def earlier_record(path: Path) -> Record:
    """Return the record of a file; empty if there is none, or one of another format."""
    try:
        return read_record(path)
    except WrongUseError:
        return {}
