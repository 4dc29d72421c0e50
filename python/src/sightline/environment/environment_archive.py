"""The archive: which files it has, and how it is written."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sightline.environment.distributions import distribution_files
from sightline.environment.interpreter_files import interpreter, library_name, standard_library
from sightline.errors import WrongUseError

# 1980-01-01: one time for all files, so that one environment always gives the same bytes.
_TIME = 315532800
_PROGRAM_MODE, _FILE_MODE = 0o755, 0o644
# A shell's own words only: a node may have no other program on its PATH.
_LAUNCHER = """\
#!/bin/sh
# Starts the Python of this folder with the libraries of this folder, wherever it was unpacked.
here=${{0%/*}}
lib=$(cd "$here/../lib" && pwd) || exit 1
LD_LIBRARY_PATH=$lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}
PYTHONNOUSERSITE=1
export LD_LIBRARY_PATH PYTHONNOUSERSITE
unset PYTHONHOME
exec "$here/{name}" "$@"
"""


@dataclass(frozen=True)
class ArchiveFile:
    """A file of the archive: its content, or the file that has it."""

    content: bytes | Path
    mode: int = _FILE_MODE

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


def archive_files(
    distributions: Iterable[metadata.Distribution], libraries: Iterable[Path]
) -> dict[str, ArchiveFile]:
    """Return the files of the archive by their path in it, sorted.

    Args:
        distributions: The packages.
        libraries: Shared libraries of this machine that the interpreter or a package needs.

    Raises:
        WrongUseError: PYTHON_NOT_RELOCATABLE or PACKAGE_NOT_PACKABLE.
    """
    program = interpreter()
    name = library_name()
    # The interpreter itself may be named python3, which is the name of the launcher here.
    launcher = _LAUNCHER.format(name=name).encode()
    files = {
        f"bin/{name}": ArchiveFile(program, _PROGRAM_MODE),
        "bin/python": ArchiveFile(launcher, _PROGRAM_MODE),
        "bin/python3": ArchiveFile(launcher, _PROGRAM_MODE),
    }
    files |= {f"lib/{name}/{path}": ArchiveFile(file) for path, file in standard_library()}
    for distribution in distributions:
        for place, file in distribution_files(distribution):
            inside = place if place.startswith("lib/") else f"lib/{name}/{place}"
            files[inside] = ArchiveFile(file)
    files |= {f"lib/{one.name}": ArchiveFile(one) for one in libraries}
    return dict(sorted(files.items()))


def write_archive(
    files: Mapping[str, ArchiveFile],
    output: Path,
    check: Callable[[Path], None],
    progress: Callable[[int], object],
) -> str:
    """Write the archive, and return its SHA-256. It appears complete and checked, or not at all.

    The same files always give the same bytes.

    Args:
        files: From `archive_files`.
        output: A .tar.gz file; it is replaced if it exists.
        check: Called with the archive before it gets its name.
        progress: Called with the size of each file, in bytes, once it is written.

    Raises:
        WrongUseError: OUTPUT_NOT_WRITABLE, or PACKAGE_NOT_PACKABLE for a file that cannot be read.
    """
    part = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            _write(files, stream, progress)
        check(part)
        with part.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        part.replace(output)
    except OSError as error:
        raise WrongUseError("OUTPUT_NOT_WRITABLE", f"'{output}': {error.strerror}.") from error
    finally:
        if part.exists():
            part.unlink()
    return digest


def _write(
    files: Mapping[str, ArchiveFile], stream: io.BufferedWriter, progress: Callable[[int], object]
) -> None:
    with (
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, file in files.items():
            entry = tarfile.TarInfo(path)
            entry.mtime, entry.mode, entry.size = _TIME, file.mode, file.size
            if isinstance(file.content, bytes):
                archive.addfile(entry, io.BytesIO(file.content))
            else:
                with _readable(file.content) as content:
                    archive.addfile(entry, content)
            progress(entry.size)


def _readable(file: Path) -> io.BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise WrongUseError(
            "PACKAGE_NOT_PACKABLE", f"'{file}' cannot be read: {error.strerror}."
        ) from error
