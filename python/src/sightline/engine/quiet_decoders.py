"""Keeps Pillow and libtiff from writing to stderr: a line for each bad image, without its path."""

import contextlib
import ctypes
import logging
from pathlib import Path

import PIL


def quiet_decoders() -> None:
    """Take their printers away; what is wrong with an image still reaches its error row.

    libtiff is found where Pillow's own wheels carry it; elsewhere it goes on printing.
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    for library in (Path(PIL.__file__).parents[1] / "pillow.libs").glob("libtiff*"):
        with contextlib.suppress(OSError, AttributeError):
            libtiff = ctypes.CDLL(str(library))
            for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                set_handler = getattr(libtiff, name)
                set_handler.argtypes = [ctypes.c_void_p]
                set_handler.restype = ctypes.c_void_p
                set_handler(None)
