"""Writing a bundle's folder so that no reader ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sightline.errors import WrongUseError


@contextlib.contextmanager
def publish_folder(target: Path, existing: str) -> Iterator[Path]:
    """Give an empty hidden folder beside `target`; rename it to `target` if the block succeeds.

    Args:
        target: The folder to appear.
        existing: "refuse" or "replace".

    Raises:
        WrongUseError: MODEL_EXISTS, before the block runs; CANNOT_WRITE.
    """
    if target.exists() and existing != "replace":
        raise WrongUseError("MODEL_EXISTS", f"'{target}' is there already. Use --overwrite.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise WrongUseError("CANNOT_WRITE", f"'{target.parent}': {error.strerror}.") from error
    new, old = draft / "new", draft / "old"
    try:
        new.mkdir()
        yield new
        if target.exists():
            os.replace(target, old)  # noqa: PTH105 - Path.replace cannot rename onto a folder either
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
