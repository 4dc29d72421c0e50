"""Clean up the temporary files that killed runs have left beside an output."""

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
"""A run rewrites its owner file at this interval, to show that it is alive."""

# A run on another machine counts as ended if its file is older. Clocks differ by far less.
_SILENT_SECONDS = 30 * BEAT_SECONDS


@dataclass(frozen=True, slots=True)
class RunNames:
    """Temporary paths of a run beside its output.

    Scala's commands use the same names, the first two without the dot, because Spark does not read
    names that begin with a dot.

    Args:
        incomplete: The new output, until it is complete.
        replaced: The old output, while the new one takes its place.
        owner: File that identifies the process; it is written first and removed last.
    """

    incomplete: Path
    replaced: Path
    owner: Path


def run_names(output: Path, run: str) -> RunNames:
    """Return the temporary paths of one run.

    Args:
        output: Absolute path of the output.
        run: Eight hexadecimal digits.
    """
    return RunNames(
        output.with_name(f".{output.name}.incomplete-{run}"),
        output.with_name(f".{output.name}.replaced-{run}"),
        _owner(output, run),
    )


def settle(output: Path) -> Iterator[str]:
    """Clean up after runs that have ended without finishing.

    Removes incomplete new outputs, and puts back an old output that was not replaced. Files that
    may belong to a running process, or have no known owner, stay.

    Args:
        output: Absolute path of the output.

    Returns:
        One line about each path found.
    """
    for run, names in sorted(_found(output).items()):
        file = _owner(output, run)
        rest = sorted(names - {file})
        owner = read_owner(file)
        if owner is None:
            for path in rest:
                yield (
                    f"{path} is left alone: its owner is unknown. If no run writes it, remove it."
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
            # Hadoop's local file system writes a checksum file beside each file.
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
                f"{path} is an old output that a killed run would have replaced. Remove it if you "
                "do not need it."
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
        return {}  # If the folder exists, writing into it will report the error.
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
