"""What runs that were killed have left beside an output."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sightline.run_owner import RunOwner, read_owner

BEAT_SECONDS = 60.0
"""A run tells that it is there by writing its file again so often."""

# A run that cannot be asked has ended when its file is older: far longer than clocks differ.
_SILENT_SECONDS = 30 * BEAT_SECONDS


@dataclass(frozen=True, slots=True)
class RunNames:
    """The names that a run has beside an output while it writes.

    Scala's are the same, the first two without the dot, since Spark reads no name that begins so.

    Args:
        incomplete: The new output.
        replaced: The old one, while the new one takes its place.
        owner: A file that says whose they are: the first to come, and the last to go.
    """

    incomplete: Path
    replaced: Path
    owner: Path


def run_names(output: Path, run: str) -> RunNames:
    """Those of one run.

    Args:
        output: Absolute.
        run: Eight hexadecimal digits.
    """
    return RunNames(
        output.with_name(f".{output.name}.incomplete-{run}"),
        output.with_name(f".{output.name}.replaced-{run}"),
        _owner(output, run),
    )


def settle(output: Path) -> Iterator[str]:
    """Undo or complete what runs that have ended left undone.

    Half of a new output is removed, and an old one whose successor never came is put back. What
    may belong to a run that goes on, or to nobody that is known, stays.

    Args:
        output: Absolute.

    Returns:
        A line for each thing that was there.
    """
    for run, names in sorted(_found(output).items()):
        file = _owner(output, run)
        rest = sorted(names - {file})
        owner = read_owner(file)
        if owner is None:
            for path in rest:
                yield (
                    f"{path} is left alone: nothing tells whose it is. If no run writes it, "
                    "remove it."
                )
        elif not _has_ended(owner, file):
            for path in rest:
                yield (
                    f"{path} is left alone: another run writes {output} ({owner}). If it has "
                    "ended, remove it."
                )
        else:
            yield from _ended(output, rest)
            file.unlink(missing_ok=True)
            # What Hadoop's local file system writes beside each file.
            file.with_name(f".{file.name}.crc").unlink(missing_ok=True)


def _ended(output: Path, names: list[Path]) -> Iterator[str]:
    half = [path for path in names if f"{output.name}.incomplete-" in path.name]
    for path in names:
        if path in half:
            continue
        if not os.path.lexists(output):
            path.rename(output)
            yield f"{output} is put back: a run that was killed had moved it to {path.name}."
        elif not half:
            _remove(path)
            yield f"{path.name} is removed: a run that was killed had replaced it."
        else:
            yield (
                f"{path} is what a run that was killed would have replaced. Remove it if it is "
                "not wanted."
            )
    for path in half:
        _remove(path)
        yield f"{path.name} is removed: a run that was killed had left it half written."


def _found(output: Path) -> dict[str, set[Path]]:
    name = re.escape(output.name)
    ours = re.compile(
        rf"\.?{name}\.(?:incomplete|replaced)-([0-9a-f]{{8}})|\.{name}\.run-([0-9a-f]{{8}})"
    )
    found: dict[str, set[Path]] = {}
    try:
        with os.scandir(output.parent) as entries:
            for entry in entries:
                if match := ours.fullmatch(entry.name):
                    run = match[1] or match[2]
                    found.setdefault(run, set()).add(output.with_name(entry.name))
    except OSError:
        return {}  # There is no such folder, or writing will say what is wrong with it.
    return found


def _has_ended(owner: RunOwner, file: Path) -> bool:
    known = owner.has_ended()
    if known is not None:
        return known
    try:
        return file.stat().st_mtime < time.time() - _SILENT_SECONDS
    except OSError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _owner(output: Path, run: str) -> Path:
    return output.with_name(f".{output.name}.run-{run}")
