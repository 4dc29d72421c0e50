"""What the operating system says about a file, as an error of a row."""

import errno

from sightline.row_error import ErrorCode, RowError, Stage

_MACHINE = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def read_error(error: OSError | ValueError, stage: Stage) -> RowError:
    """NOT_FOUND, DENIED or IO, with the system's own words.

    What the whole machine lacks says nothing of the file, and is raised.

    Args:
        error: From opening or reading one path. A ValueError is a path with a null character.
        stage: Where it was met.

    Raises:
        OSError: `error` itself, if there is no memory or no file handle left.
    """
    if isinstance(error, OSError) and error.errno in _MACHINE:
        raise error
    code: ErrorCode = "IO"
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        code = "NOT_FOUND"
    elif isinstance(error, PermissionError):
        code = "DENIED"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return RowError(code, stage, f"{text}.")
