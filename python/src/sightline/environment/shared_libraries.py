"""The shared libraries that an interpreter loads, here and where its archive is unpacked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sightline.environment import loaded_libraries
from sightline.environment.distributions import import_names
from sightline.environment.interpreter_files import interpreter, not_relocatable

# The C and C++ libraries, which wheels expect on every Linux, and the driver of a GPU.
_OF_THE_SYSTEM = re.compile(
    r"(ld-linux|ld-musl|ld64|libc|libm|libmvec|libdl|libpthread|librt|libutil|libresolv|libanl|libBrokenLocale"
    r"|libnss_\w+|libgcc_s|libstdc\+\+)[-.].*|libnsl\.so\.1"
)
_OF_THE_DRIVER = re.compile(r"(libcuda|libcudadebugger|libnvidia-[\w-]+)\.so.*")
_ELSEWHERE = "when its files are in another folder"
_SYSTEM_FOLDERS = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64")


@dataclass(frozen=True)
class Loaded:
    """What an interpreter has loaded.

    Args:
        libraries: Paths of shared libraries.
        failed: The error of each import that failed, by import name.
    """

    libraries: tuple[str, ...]
    failed: dict[str, str]


def load_here(distributions: Sequence[metadata.Distribution]) -> Loaded:
    """Import the packages and the standard library in a process of this Python."""
    return _load([sys.executable, "-I"], distributions, None, "in a process of its own")


def needed_libraries(loaded: Loaded) -> list[Path]:
    """Return the libraries of this machine that a node may not have: those of no package."""
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    packages |= {one for one in sys.path if Path(one).name in ("site-packages", "dist-packages")}
    inside = [*map(os.path.realpath, packages), sysconfig.get_path("stdlib")]
    return [
        Path(one)
        for one in loaded.libraries
        if not _is_of_the_system(one) and not any(_is_in(one, folder) for folder in inside)
    ]


def check_moved(
    archive: Path, distributions: Sequence[metadata.Distribution], here: Loaded
) -> None:
    """Unpack an archive in an empty folder, and run its Python without this machine's settings.

    Args:
        archive: The archive; it is unpacked beside it and removed again.
        distributions: The packages to import.
        here: What the same imports gave here.

    Raises:
        WrongUseError: PYTHON_NOT_RELOCATABLE if it does not start, cannot import a module that can
            be imported here, or loads a library from outside of the folder.
    """
    with tempfile.TemporaryDirectory(prefix=f"{archive.name}.", dir=archive.parent) as text:
        folder = Path(text).resolve()
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        program = folder / "bin" / "python"
        moved = _load([str(program)], distributions, {"PATH": "/usr/bin:/bin"}, _ELSEWHERE)
        broken = {name: why for name, why in moved.failed.items() if name not in here.failed}
        if broken:
            name, why = min(broken.items())
            raise not_relocatable(interpreter(), f"cannot import {name} {_ELSEWHERE}: {why}")
        outside = [one for one in moved.libraries if not _is_in(one, str(folder))]
        kept = [one for one in outside if not _is_of_the_system(one)]
        if kept:
            raise not_relocatable(interpreter(), f"loads {kept[0]} also {_ELSEWHERE}")


def _load(
    command: list[str],
    distributions: Sequence[metadata.Distribution],
    environment: dict[str, str] | None,
    where: str,
) -> Loaded:
    script = Path(loaded_libraries.__file__).read_text("utf-8")
    names = sorted({name for one in distributions for name in import_names(one)})
    done = subprocess.run(  # noqa: S603 - this interpreter or its copy
        [*command, "-c", script, *names],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        words = (done.stderr.splitlines() or [f"exit status {done.returncode}"])[-1]
        raise not_relocatable(interpreter(), f"does not start {where}: {words}") from error
    return Loaded(tuple(answer["libraries"]), answer["failed"])


def _is_of_the_system(library: str) -> bool:
    name = Path(library).name
    if _OF_THE_DRIVER.fullmatch(name):
        return True
    in_system = any(_is_in(library, folder) for folder in _SYSTEM_FOLDERS)
    return in_system and _OF_THE_SYSTEM.fullmatch(name) is not None


def _is_in(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder) or Path(path).resolve().is_relative_to(folder)
