"""Stops Pillow and libtiff from writing to stderr for each unusual image."""

import contextlib
import ctypes
import logging
import warnings
from pathlib import Path

import PIL


def quiet_decoders() -> None:
    """Silence both libraries. The error of an image still appears in its row.

    The function changes the whole process, so only Sightline's own programs call it: a command or
    a worker's task. It adds a filter that ignores Pillow's warnings before all other filters. It
    finds libtiff only in Pillow's own wheels. Any other libtiff continues to print.
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
