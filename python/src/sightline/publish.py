"""A folder that appears whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sightline.errors import SightlineError, WrongUseError


@contextmanager
def publish_folder(target: Path, if_there: WrongUseError | None) -> Iterator[Path]:
    """Give an empty hidden folder beside `target`; rename it to `target` if the block succeeds.

    Whatever fails, what was at `target` is there afterwards.

    Args:
        target: The folder to appear. Its parents are made.
        if_there: Raised if `target` is there, before the block and again before it is renamed;
            None replaces it.

    Raises:
        WrongUseError: `if_there`, or OUTPUT_NOT_WRITABLE.
        SightlineError: PUBLISH_FAILED, if what was there could not even be put back: it says
            where it is.
    """
    target = target.absolute()
    _refuse(target, if_there)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise WrongUseError(
            "OUTPUT_NOT_WRITABLE", f"'{target.parent}': {error.strerror}."
        ) from error
    new, old = draft / "new", draft / "old"
    try:
        new.mkdir()
        yield new
        _refuse(target, if_there)
        if _is_there(target):
            os.replace(target, old)  # noqa: PTH105 - Path.replace cannot rename onto a folder either
        new.rename(target)
    except BaseException:
        _put_back(old, target)
        raise
    finally:
        if _is_there(target) or not _is_there(old):
            shutil.rmtree(draft, ignore_errors=True)


def _refuse(target: Path, if_there: WrongUseError | None) -> None:
    if if_there is not None and _is_there(target):
        raise if_there


def _put_back(old: Path, target: Path) -> None:
    if not _is_there(old) or _is_there(target):
        return
    try:
        old.rename(target)
    except OSError as error:
        raise SightlineError(
            "PUBLISH_FAILED",
            f"'{target}' could not be replaced ({error.strerror}), and what was there could not "
            f"be put back: it is '{old}'. Rename it by hand.",
        ) from error


def _is_there(path: Path) -> bool:
    """A link counts wherever it leads: a relative one leads nowhere once it has been moved."""
    return path.exists() or path.is_symlink()
