"""Write an output folder that appears complete or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sightline.errors import SightlineError, WrongUseError
from sightline.killed_runs import BEAT_SECONDS, RunNames, run_names, settle
from sightline.place import first_in
from sightline.run_owner import write_owner
from sightline.written_folder import is_replaceable


@contextmanager
def publish_folder(
    target: Path,
    if_exists: WrongUseError | None,
    reads: Iterable[str | Path] = (),
    *,
    settled: bool = False,
) -> Iterator[Path]:
    """Yield an empty hidden folder beside `target`; rename it to `target` if the block succeeds.

    If anything fails, `target` is as it was before. First, the files that killed runs have left
    beside `target` are cleaned up, with a line on stderr for each.

    Args:
        target: The folder to publish. Missing parent folders are made.
        if_exists: Raised if `target` exists, before the block and again before the rename; None
            replaces `target`.
        reads: Paths that the block reads, which replacing `target` must not delete.
        settled: Whether `settle_leftovers` was called for `target` already.

    Raises:
        WrongUseError: `if_exists`; OUTPUT_HOLDS_INPUT; OUTPUT_NOT_WRITABLE.
        SightlineError: PUBLISH_FAILED if the old `target` could not be put back; the message has
            its path.
    """
    target = _fixed(target)
    if not settled:
        settle_leftovers(target)
    _refuse(target, if_exists)
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
        _refuse(target, if_exists)
        _replace(names, target)
    finally:
        over.set()
        beat.join()
        shutil.rmtree(names.incomplete, ignore_errors=True)
        if not os.path.lexists(names.replaced):
            # Removed last, because it identifies the owner of the others.
            names.owner.unlink(missing_ok=True)


def _fixed(target: Path) -> Path:
    """Return the path without `..`, which may go through the folder that is renamed."""
    whole = target.absolute()
    return whole.resolve() if whole.name == ".." else whole.parent.resolve() / whole.name


def settle_leftovers(target: Path) -> None:
    """Clean up what killed runs have left beside an output, with a line on stderr for each."""
    for line in settle(target.absolute()):
        sys.stderr.write(f"sightline: {line}\n")


def require_apart(target: Path, reads: Iterable[str | Path]) -> None:
    """Raise an error if a folder to be replaced contains a path that is read, links followed.

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
    """Raise an error if an output is inside a folder that is read as a whole.

    Raises:
        WrongUseError: OUTPUT_IN_INPUT.
    """
    for table in tables:
        if first_in([target], table) is not None:
            raise WrongUseError(
                "OUTPUT_IN_INPUT",
                f"'{target}' is inside '{table}', which this run reads as a whole. "
                "Choose an --output outside it.",
            )


def require_replaceable(target: Path, reads: Iterable[str | Path]) -> None:
    """Raise an error if a folder contains a path that is read, or was not written by Sightline.

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
        # A link is replaced itself. Path.replace cannot rename onto a folder.
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


def _refuse(target: Path, if_exists: WrongUseError | None) -> None:
    if if_exists is not None and os.path.lexists(target):
        raise if_exists


def _put_back(old: Path, target: Path) -> None:
    try:
        old.rename(target)
    except OSError as error:
        raise SightlineError(
            "PUBLISH_FAILED",
            f"'{target}' could not be replaced ({error.strerror}), and the old folder could not "
            f"be put back: it is '{old}'. Rename it by hand.",
        ) from error


def check_output(
    output: Path, reads: Iterable[str | Path], *, overwrite: bool
) -> WrongUseError | None:
    """Check an output before a run: raise an error if it exists and must not be replaced.

    Args:
        output: The folder to write.
        reads: The paths that the command reads, as far as they are known by now.
        overwrite: Whether an existing output may be replaced.

    Returns:
        The error to raise if the output appears while the command runs; None if it may be
        replaced.

    Raises:
        WrongUseError: OUTPUT_EXISTS, OUTPUT_HOLDS_INPUT or OUTPUT_IN_INPUT.
    """
    settle_leftovers(output)
    reads = list(reads)
    require_apart(output, reads)
    require_outside(output, [read for read in reads if _is_whole(Path(read))])
    if overwrite:
        return None
    message = f"{output} exists. Choose another --output, or add --overwrite."
    exists = WrongUseError("OUTPUT_EXISTS", message)
    if output.exists():
        raise exists
    return exists


def _is_whole(read: Path) -> bool:
    """Whether a path is a table or a bundle, whose whole folder is read."""
    return read.suffix == ".parquet" or (read / "model.json").is_file()
