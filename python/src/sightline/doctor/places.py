"""The output and the models root."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.doctor.finding import Finding

if TYPE_CHECKING:
    from sightline.doctor.examine import Request

# A full disk often still takes an empty file.
_TRIAL_BYTES = 1 << 20


def check(request: Request) -> Iterator[Finding]:
    """Check that the output can be written and the models root can be read."""
    if request.output is not None:
        yield _output(Path(request.output))
    root = request.models or os.environ.get("SIGHTLINE_MODELS")
    if root is not None and "://" not in root:
        yield _models_root(Path(root))


def _output(output: Path) -> Finding:
    """Write a file of 1 MiB beside the output, and remove it."""
    absolute = output.absolute()
    folder = next(parent for parent in absolute.parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"\0" * _TRIAL_BYTES)
            trial.flush()
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Finding(
            "DISK_FULL" if full else "OUTPUT_NOT_WRITABLE",
            "blocker",
            f"nothing can be written in {folder}: {error.strerror}",
            "The result could not be published at the end of the run.",
            "Free some space, or choose another --output."
            if full
            else "Choose another --output, or change the permissions.",
        )
    return Finding("OUTPUT", "ok", f"{output} can be written")


def _models_root(root: Path) -> Finding:
    try:
        count = len(list(root.iterdir()))
    except OSError as error:
        return Finding(
            "MODELS_ROOT_UNUSABLE",
            "blocker",
            f"the models root {root} cannot be read: {error.strerror}",
            "Models are searched there first.",
            "Give a readable folder by --models, SIGHTLINE_MODELS or spark.sightline.models.",
        )
    return Finding("MODELS_ROOT", "ok", f"{root} has {count} entries")
