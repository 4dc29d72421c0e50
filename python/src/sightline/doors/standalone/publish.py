"""A folder that appears whole, or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sightline.errors import WrongUseError

IfExists = Literal["refuse", "replace"]


@contextmanager
def publish(output: Path, if_exists: IfExists) -> Iterator[Path]:
    """Give a hidden folder beside ``output`` to write to, and rename it when all went well.

    Args:
        output: Where the folder shall be. Its parents are made.
        if_exists: ``replace`` removes what was there, after the new folder is complete.

    Raises:
        WrongUseError: OUTPUT_EXISTS, or OUTPUT_DENIED if nothing can be written there.
    """
    refuse_existing(output, if_exists)
    target = output.absolute()
    mark = uuid.uuid4().hex[:8]
    hidden = target.with_name(f".{target.name}.{mark}.writing")
    replaced = target.with_name(f".{target.name}.{mark}.replaced")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden.mkdir()
    except OSError as error:
        raise WrongUseError("OUTPUT_DENIED", f"{target}: {error.strerror}.") from error
    try:
        yield hidden
        if target.exists():
            refuse_existing(output, if_exists)
            target.rename(replaced)
        hidden.rename(target)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if replaced.is_dir():
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            replaced.unlink(missing_ok=True)


def refuse_existing(output: Path, if_exists: IfExists) -> None:
    """Refuse an output that is there, before any work is done.

    Raises:
        WrongUseError: OUTPUT_EXISTS.
    """
    if if_exists == "refuse" and output.exists():
        message = f"{output} exists. Choose another --output, or add --overwrite."
        raise WrongUseError("OUTPUT_EXISTS", message)
