"""One process at a time may write a run of `train`: its owner file says which.

The jar writes and reads the same file.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sightline.errors import WrongUseError
from sightline.run_owner import owner_text, parse_owner

OWNER_FILE = "owner.json"
"""In the folder of the run, while a process writes it."""

# Held by the process that replaces the file of an owner that has ended, so that one process does.
CLAIM_FILE = "owner.json.next"
_BEAT_SECONDS = 30.0
_SILENT_SECONDS = 300.0
"""An owner on another machine counts as ended after this time without a beat."""


def is_lock_file(name: str) -> bool:
    """Whether a file in the folder of a run is one of this module's."""
    return name.startswith(OWNER_FILE)


@contextmanager
def hold_run(folder: Path) -> Iterator[str]:
    """Own the folder of a run during the block; it is made, and removed again if it stays empty.

    The value is the text of the owner file.

    The owner file is rewritten every 30 seconds. The file of an owner that has ended is replaced:
    of a process of this machine that is gone, or of one elsewhere that was silent for five minutes.

    Raises:
        WrongUseError: RUN_IN_USE; OUTPUT_NOT_WRITABLE.
    """
    began = datetime.now(UTC).isoformat(timespec="seconds")
    text = owner_text(run=uuid.uuid4().hex, began=began)
    file = folder / OWNER_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _acquire(file, text)
    except OSError as error:
        raise WrongUseError("OUTPUT_NOT_WRITABLE", f"'{folder}': {error.strerror}.") from error
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(file, text, over), daemon=True)
    try:
        beat.start()
        yield text
    finally:
        over.set()
        if beat.ident is not None:
            beat.join()
        if _read(file) == text:
            file.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()  # only if it is empty


def _acquire(file: Path, text: str) -> None:
    if _create(file, text):
        return
    found = _read(file)
    claim = file.with_name(CLAIM_FILE)
    if not _has_ended(file, found):
        raise _in_use(file, found)
    if _has_ended(claim, _read(claim)):  # its process was killed here, or there is none
        claim.unlink(missing_ok=True)
    if not _create(claim, text):
        raise _in_use(file, _read(claim))
    try:
        # Another process may have replaced the file, and returned the claim, since it was read.
        if _read(file) != found:
            raise _in_use(file, _read(file))
        _replace(file, text)
        # Two processes may have removed the claim of a third that was killed.
        if _read(file) != text:
            raise _in_use(file, _read(file))
    finally:
        if _read(claim) == text:
            claim.unlink(missing_ok=True)


def _create(file: Path, text: str) -> bool:
    """Create a file unless its name is taken, which one process alone can do."""
    try:
        created = file.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with created:
            created.write(text)
    except OSError:  # such as a full disk, which leaves an empty file: it would name no owner
        file.unlink(missing_ok=True)
        raise
    return True


def _replace(file: Path, text: str) -> None:
    """Write a file at once: after a failure, such as a full disk, it has its old text."""
    new = file.with_name(f"{OWNER_FILE}.{os.getpid()}")
    new.write_text(text, "utf-8")
    new.replace(file)


def _has_ended(file: Path, text: str) -> bool:
    owner = parse_owner(text)
    known = owner.has_ended() if owner else None
    return known if known is not None else _age(file) > _SILENT_SECONDS


def _age(file: Path) -> float:
    try:
        return max(0.0, time.time() - file.stat().st_mtime)
    except OSError:
        return 0.0


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _beat(file: Path, text: str, over: threading.Event) -> None:
    while not over.wait(_BEAT_SECONDS):
        with suppress(OSError):
            if _read(file) == text:
                _replace(file, text)


def _in_use(file: Path, text: str) -> WrongUseError:
    try:
        began = str(json.loads(text)["began"])
    except (ValueError, KeyError, TypeError):
        began = "an unknown time"
    return WrongUseError(
        "RUN_IN_USE",
        f"{parse_owner(text) or 'another process'} writes the run {file.parent} since {began}. "
        f"Wait until it ends, or end it. If it has ended on another machine, this is known "
        f"{_SILENT_SECONDS:.0f} s after its last sign of life, which was {_age(file):.0f} s ago; "
        f"to go on at once, remove {file}.",
    )
