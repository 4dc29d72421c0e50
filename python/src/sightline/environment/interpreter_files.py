"""The files of this Python: its program and its standard library."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from sightline.errors import WrongUseError

# Parts of the standard library that no task uses.
_LEFT_OUT = {
    *("__pycache__", "site-packages", "dist-packages", "ensurepip", "idlelib", "lib2to3"),
    *("test", "tests", "tkinter", "turtledemo"),
}
_HOW = (
    "Make an environment with a Python of its own, for example by `uv venv --managed-python`, "
    "pyenv or conda, install Sightline there, and pack with that. Or install the same Python and "
    "packages on every node, and set spark.pyspark.python."
)


def interpreter() -> Path:
    """Return the program of this Python, outside of any virtual environment.

    Raises:
        WrongUseError: PYTHON_NOT_RELOCATABLE if it belongs to the operating system, or is not for
            Linux.
    """
    program = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    base = Path(sys.base_prefix)
    if sys.platform != "linux":
        raise not_relocatable(program, f"is for {sys.platform}, but the nodes run Linux")
    if base == Path("/usr") or Path(sysconfig.get_path("stdlib")).parent != base / "lib":
        raise not_relocatable(
            program,
            "belongs to the operating system, whose folders it needs, so it works only on nodes "
            "with the same system and packages",
        )
    return program


def not_relocatable(program: Path, why: str) -> WrongUseError:
    """Return the error PYTHON_NOT_RELOCATABLE; `why` continues a sentence."""
    return WrongUseError("PYTHON_NOT_RELOCATABLE", f"{program} {why}. {_HOW}")


def library_name() -> str:
    """Return the name of the folder of the standard library, such as ``python3.11``."""
    return Path(sysconfig.get_path("stdlib")).name


def standard_library() -> Iterator[tuple[str, Path]]:
    """Yield the files of the standard library: the path below its folder, and the file."""
    folder = Path(sysconfig.get_path("stdlib"))
    waiting = [folder]
    while waiting:
        for path in waiting.pop().iterdir():
            name = path.name
            if name in _LEFT_OUT or name.startswith(("_tkinter.", "config-")):
                continue
            if path.is_dir():
                waiting.append(path)
            elif path.suffix != ".pyc":
                yield path.relative_to(folder).as_posix(), path
