"""A folder that appears whole, or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sightline.errors import SightlineError, WrongUseError
from sightline.leftovers import BEAT_SECONDS, RunNames, run_names, settle
from sightline.place import first_in
from sightline.run_owner import write_owner
from sightline.written_folder import is_replaceable


@contextmanager
def publish_folder(
    target: Path,
    if_there: WrongUseError | None,
    reads: Iterable[str | Path] = (),
    *,
    settled: bool = False,
) -> Iterator[Path]:
    """Give an empty hidden folder beside `target`; rename it to `target` if the block succeeds.

    Whatever fails, what was at `target` is there afterwards. What runs that were killed have left
    beside it is settled first, and told on stderr.

    Args:
        target: The folder to appear. Its parents are made.
        if_there: Raised if `target` is there, before the block and again before it is renamed;
            None replaces it.
        reads: What the block reads, which replacing `target` must not delete.
        settled: Whether `tell_leftovers` has been called for `target` already.

    Raises:
        WrongUseError: `if_there`; OUTPUT_HOLDS_INPUT; OUTPUT_NOT_WRITABLE.
        SightlineError: PUBLISH_FAILED, if what was there could not even be put back: it says
            where it is.
    """
    target = _fixed(target)
    if not settled:
        tell_leftovers(target)
    _refuse(target, if_there)
    require_apart(target, reads)
    names = run_names(target, os.urandom(4).hex())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_owner(names.owner)
    except OSError as error:
        raise WrongUseError(
            "OUTPUT_NOT_WRITABLE", f"'{target.parent}': {error.strerror}."
        ) from error
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(names.owner, over), daemon=True)
    beat.start()
    try:
        names.incomplete.mkdir()
        yield names.incomplete
        _refuse(target, if_there)
        _replace(names, target)
    finally:
        over.set()
        beat.join()
        shutil.rmtree(names.incomplete, ignore_errors=True)
        if not os.path.lexists(names.replaced):
            # The last, for it says whose the others are.
            names.owner.unlink(missing_ok=True)


def _fixed(target: Path) -> Path:
    """The path without `..`, which may lead through the very folder that is renamed."""
    whole = target.absolute()
    return whole.resolve() if whole.name == ".." else whole.parent.resolve() / whole.name


def tell_leftovers(target: Path) -> None:
    """Settle what killed runs have left beside an output, and say on stderr what it was."""
    for line in settle(target.absolute()):
        sys.stderr.write(f"sightline: {line}\n")


def require_apart(target: Path, reads: Iterable[str | Path]) -> None:
    """Refuse a folder to be replaced that holds what is read, whatever links lead to it.

    Raises:
        WrongUseError: OUTPUT_HOLDS_INPUT.
    """
    held = first_in(reads, target)
    if held is not None:
        raise WrongUseError(
            "OUTPUT_HOLDS_INPUT",
            f"{target} holds {held}, which this run reads and --overwrite would delete. Choose "
            "another --output.",
        )


def require_outside(target: Path, tables: Iterable[str | Path]) -> None:
    """Refuse an output that would lie in a table or a bundle that is read whole.

    Raises:
        WrongUseError: OUTPUT_IN_INPUT.
    """
    for table in tables:
        if first_in([target], table) is not None:
            raise WrongUseError(
                "OUTPUT_IN_INPUT",
                f"'{target}' lies in '{table}', which this run reads as one table or model. "
                "Choose an --output outside it.",
            )


def require_replaceable(target: Path, reads: Iterable[str | Path]) -> None:
    """Refuse to replace what holds what is read, or what no run of Sightline has written.

    Raises:
        WrongUseError: OUTPUT_HOLDS_INPUT or OUTPUT_NOT_OURS.
    """
    require_apart(target, reads)
    if os.path.lexists(target) and not is_replaceable(target):
        raise WrongUseError(
            "OUTPUT_NOT_OURS",
            f"'{target}' was not written by Sightline, so --overwrite does not delete it. Choose "
            "another --output, or remove it.",
        )


def _beat(file: Path, over: threading.Event) -> None:
    while not over.wait(BEAT_SECONDS):
        with suppress(OSError):
            write_owner(file)


def _replace(names: RunNames, target: Path) -> None:
    is_there = os.path.lexists(target)
    if is_there:
        # A link counts wherever it leads; Path.replace cannot rename onto a folder.
        target.rename(names.replaced)
    try:
        names.incomplete.rename(target)
    except BaseException:
        if is_there:
            _put_back(names.replaced, target)
        raise
    if names.replaced.is_dir() and not names.replaced.is_symlink():
        shutil.rmtree(names.replaced, ignore_errors=True)
    elif is_there:
        names.replaced.unlink()


def _refuse(target: Path, if_there: WrongUseError | None) -> None:
    if if_there is not None and os.path.lexists(target):
        raise if_there


def _put_back(old: Path, target: Path) -> None:
    try:
        old.rename(target)
    except OSError as error:
        raise SightlineError(
            "PUBLISH_FAILED",
            f"'{target}' could not be replaced ({error.strerror}), and what was there could not "
            f"be put back: it is '{old}'. Rename it by hand.",
        ) from error
