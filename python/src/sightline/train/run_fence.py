"""Only the owner of a run writes checkpoints and the model: see `run_lock`."""

from __future__ import annotations

from sightline.errors import WrongUseError
from sightline.run_owner import parse_owner
from sightline.train.run_lock import OWNER_FILE
from sightline.train.storage import Storage


def require_owner(run: Storage, owner: str) -> None:
    """Raise an error if another process has taken the run over.

    That happens to a machine that was suspended, and to workers whose driver was killed.

    Args:
        run: The run's folder.
        owner: The text that the owner file must have.

    Raises:
        WrongUseError: RUN_TAKEN_OVER.
        OSError: If the file cannot be read.
    """
    try:
        found = run.read(OWNER_FILE).decode(errors="replace")
    except FileNotFoundError:
        found = ""
    if found == owner:
        return
    other = parse_owner(found) or "Another process"
    raise WrongUseError(
        "RUN_TAKEN_OVER",
        f"{other} has taken over the run {run.root}, because this process gave no sign of life for "
        "five minutes or its owner file was removed. This process writes nothing more there. The "
        "newest checkpoint is complete; continue with --resume when no other process writes.",
    )
