"""Print the shared libraries that an interpreter loads: a script that imports nothing of Sightline.

Its arguments are import names. It imports them and every module of the standard library that is a
shared library, and prints JSON: the paths of the libraries, and the error of each failed import.
"""

import ctypes
import importlib
import json
import os
import sys
import sysconfig
from pathlib import Path


def extension_modules() -> list[str]:
    """Return the modules of the standard library that are shared libraries."""
    folders = [Path(one) for one in sys.path if one.endswith("lib-dynload")]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return sorted(
        file.name.removesuffix(suffix)
        for folder in folders
        for file in folder.glob(f"*{suffix}")
        if not file.name.startswith(("_test", "_tkinter", "_xx", "xx", "_ctypes_test"))
    )


class _Object(ctypes.Structure):
    """The first fields of C's dl_phdr_info."""

    _fields_ = (("address", ctypes.c_void_p), ("name", ctypes.c_char_p))


def loaded() -> list[str]:
    """Return the paths of the shared libraries in this process, with the names they are needed by.

    A file may have another name: libbz2.so.1.0 is a link to libbz2.so.1.0.4.
    """
    paths = set()
    callback = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(_Object), ctypes.c_size_t, ctypes.c_void_p
    )

    def add(entry: object, size: int, data: object) -> int:
        name = os.fsdecode(entry.contents.name or b"")  # type: ignore[attr-defined]
        if name.startswith("/"):
            paths.add(os.path.normpath(name))
        return 0

    ctypes.CDLL(None).dl_iterate_phdr(callback(add), None)
    return sorted(paths)


def main(names: list[str]) -> None:
    """Import the modules and print the answer."""
    failed = {}
    own = extension_modules()
    for name in [*own, *names]:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - every failure is reported
            # A module of the standard library may lack its library on this machine too.
            if name not in own:
                failed[name] = f"{type(error).__name__}: {error}"
    sys.stdout.write(json.dumps({"libraries": loaded(), "failed": failed}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
