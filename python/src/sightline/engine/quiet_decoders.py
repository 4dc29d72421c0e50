"""Stops Pillow and libtiff from writing a line without a path to stderr for each unusual image."""

import contextlib
import ctypes
import logging
import warnings
from pathlib import Path

import PIL


def quiet_decoders() -> None:
    """Silence both libraries; an image's error still appears in its row.

    This changes the whole process, so only Sightline's own programs call it: a command or a
    worker's task. The function adds a filter that ignores Pillow's warnings before the other
    filters. It finds libtiff only in Pillow's own wheels; any other libtiff continues to print.
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
