"""What the operating system says about a file, as an error of a row."""

from sightline.row_error import ErrorCode, RowError, Stage


def read_error(error: OSError | ValueError, stage: Stage) -> RowError:
    """NOT_FOUND, DENIED or IO, with the system's own words.

    Args:
        error: From opening or reading one path. A ValueError is a path with a null character.
        stage: Where it was met.
    """
    code: ErrorCode = "IO"
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        code = "NOT_FOUND"
    elif isinstance(error, PermissionError):
        code = "DENIED"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return RowError(code, stage, f"{text}.")
