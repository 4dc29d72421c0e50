"""What a person is told when a command fails: one line, and the exit status of its condition."""

from __future__ import annotations

import errno

import click

from sightline.errors import SightlineError, WrongUseError

# Options whose values are names, and what the jar calls an unknown one.
_NAMES = {
    "backend": "UNKNOWN_BACKEND",
    "decoder": "UNKNOWN_DECODER",
    "device": "UNKNOWN_DEVICE",
    "format_": "UNKNOWN_FORMAT",
    "format": "UNKNOWN_FORMAT",
    "labels": "UNKNOWN_LABELS",
    "precision": "UNKNOWN_PRECISION",
}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def as_ours(error: Exception) -> SightlineError | None:
    """The error of ours that `error` is or means, as the jar would tell it.

    Args:
        error: From a command: ours, click's, or the operating system's.

    Returns:
        None for an error that has no condition: a fault of the program itself.
    """
    if isinstance(error, SightlineError):
        return error
    if isinstance(error, click.Abort):
        return SightlineError("INTERRUPTED", "nothing was published.")
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "sightline"
        message = " ".join(error.format_message().split())
        return WrongUseError(_condition(error), f"{message} See `{path} --help`.")
    if isinstance(error, click.ClickException):
        return SightlineError("RUN_FAILED", error.format_message())
    if isinstance(error, MemoryError):
        return SightlineError("OUT_OF_MEMORY", "the machine has no memory left for this run.")
    if isinstance(error, OSError):
        return _of_system(error)
    return None


def _condition(error: click.UsageError) -> str:
    if not isinstance(error, click.BadParameter) or isinstance(error, click.MissingParameter):
        return "WRONG_ARGUMENTS"
    is_name = error.param is not None and isinstance(error.param.type, click.Choice)
    name = error.param.name if error.param is not None and is_name else None
    return _NAMES.get(name or "", "INVALID_OPTION")


def _of_system(error: OSError) -> SightlineError:
    """The system's words say more than a stack trace."""
    where = f"'{error.filename}': " if error.filename else ""
    reason = f"{where}{error.strerror or error}"
    if error.errno in _NO_ROOM:
        return SightlineError(
            "DISK_FULL",
            f"there is no room left to write: {reason}. Nothing was published. Make room, or "
            "choose another place for --output.",
        )
    if error.errno in _DENIED:
        return WrongUseError(
            "PERMISSION_DENIED",
            f"{reason}. Let the user of this process read it, and write the output, or choose "
            "another place.",
        )
    if error.errno == errno.ENAMETOOLONG:
        return WrongUseError("INVALID_PATH", f"{reason}.")
    if error.errno == errno.ENOENT:
        return WrongUseError("PATH_NOT_FOUND", f"{reason}. Another run may have removed it.")
    return SightlineError("RUN_FAILED", f"{reason}.")
