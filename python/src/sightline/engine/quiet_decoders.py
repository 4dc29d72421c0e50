"""Keeps Pillow and libtiff from writing to stderr: a line for each odd image, without its path."""

import contextlib
import ctypes
import logging
import warnings
from pathlib import Path

import PIL


def quiet_decoders() -> None:
    """Take their printers away; what is wrong with an image still reaches its error row.

    It changes the process, so only a program of ours calls it: a command, or a worker's task.
    A filter that ignores Pillow's warnings goes before the others, which stay. libtiff is found
    where Pillow's own wheels carry it; elsewhere it goes on printing.
    """
    logger = logging.getLogger("PIL")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"PIL\.")
    for library in (Path(PIL.__file__).parents[1] / "pillow.libs").glob("libtiff*"):
        with contextlib.suppress(OSError, AttributeError):
            libtiff = ctypes.CDLL(str(library))
            for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                set_handler = getattr(libtiff, name)
                set_handler.argtypes = [ctypes.c_void_p]
                set_handler.restype = ctypes.c_void_p
                set_handler(None)
