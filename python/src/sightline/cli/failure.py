"""Convert the exceptions of a command to errors with a condition and an exit status."""

from __future__ import annotations

import errno

import click

from sightline.errors import SightlineError, WrongUseError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def as_sightline_error(error: Exception) -> SightlineError | None:
    """Return the SightlineError for an exception of a command, with the jar's condition.

    Args:
        error: A SightlineError, an exception of click, or one of the operating system.

    Returns:
        None for any other exception, which is a bug of Sightline.
    """
    if isinstance(error, SightlineError):
        return error
    if isinstance(error, click.Abort):
        return SightlineError("INTERRUPTED", "nothing was published.")
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "sightline"
        message = " ".join(error.format_message().split())
        is_value = isinstance(error, click.BadParameter)
        is_missing = isinstance(error, click.MissingParameter)
        condition = "INVALID_OPTION" if is_value and not is_missing else "WRONG_ARGUMENTS"
        return WrongUseError(condition, f"{message} See `{path} --help`.")
    if isinstance(error, click.ClickException):
        return SightlineError("RUN_FAILED", error.format_message())
    if isinstance(error, MemoryError):
        return SightlineError("OUT_OF_MEMORY", "the machine has no memory left for this run.")
    if isinstance(error, OSError):
        return _from_system(error)
    return None


def _from_system(error: OSError) -> SightlineError:
    where = f"'{error.filename}': " if error.filename else ""
    reason = f"{where}{error.strerror or error}"
    if error.errno in _DISK_FULL:
        return SightlineError(
            "DISK_FULL",
            f"the disk has no space left: {reason}. Nothing was published. Free some space, or "
            "choose another --output.",
        )
    if error.errno in _DENIED:
        return WrongUseError(
            "PERMISSION_DENIED",
            f"{reason}. Give this user permission to read the input and to write the output, or "
            "choose other paths.",
        )
    if error.errno == errno.ENAMETOOLONG:
        return WrongUseError("INVALID_PATH", f"{reason}.")
    if error.errno == errno.ENOENT:
        return WrongUseError("PATH_NOT_FOUND", f"{reason}. Another run may have removed it.")
    return SightlineError("RUN_FAILED", f"{reason}.")
