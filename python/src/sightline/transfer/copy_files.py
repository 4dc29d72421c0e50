"""Copy a folder to or from an object store: in parallel, checked by hash, and resumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal, TypeVar

from sightline.errors import SightlineError, WrongUseError
from sightline.transfer.remote_folder import RemoteFolder
from sightline.transfer.stored_hash import StoredHash, md5_of

# Arrow sends a part of 10 MiB when it has as many bytes; larger writes would make larger parts.
_CHUNK_BYTES = 4 << 20
_TRIES = 4
_INCOMPLETE = "_INCOMPLETE"
# Other programs read a folder when it has this file.
_LAST = "_SUCCESS"


_Check = Literal["hash", "twice", "size"]
_Result = TypeVar("_Result")


@dataclass
class Counts:
    """What a copy did.

    Attributes:
        copied: Number of files copied.
        present: Number of files that were there already, with the same content.
        read_twice: Number of files, of the copied ones, whose hash in the store could not be
            compared; two downloads of each were equal.
        unchecked: Files, of both, of which the store has no MD5: only their sizes were compared.
        bytes: Bytes of the copied files.
    """

    copied: int = 0
    present: int = 0
    read_twice: int = 0
    unchecked: list[str] = field(default_factory=list)
    bytes: int = 0


@dataclass(frozen=True)
class _Done:
    is_copied: bool
    check: _Check = "hash"


def download(
    remote: RemoteFolder, folder: Path, workers: int, progress: Callable[[int, int], None]
) -> Counts:
    """Copy all objects of a remote folder to a local one. Files that are there are kept.

    An object is written to a hidden file beside its name, which a later download continues.

    Args:
        remote: The folder to read.
        folder: The folder to write; it is created.
        workers: Number of files that are copied at the same time.
        progress: Called with the bytes done and those of all files.

    Raises:
        WrongUseError: PATH_NOT_FOUND if the remote folder has no object, OUTPUT_INCOMPLETE,
            INVALID_PATH for a name that is not one of a file below the folder, …
        SightlineError: HASH_MISMATCH, STORAGE_UNREACHABLE.
    """
    names = remote.list()
    if not names:
        raise WrongUseError("PATH_NOT_FOUND", f"{remote.uri} does not exist, or has no object.")
    if any(PurePosixPath(name).name == _INCOMPLETE for name in names):
        raise WrongUseError(
            "OUTPUT_INCOMPLETE",
            f"'{remote.uri}' is not complete: it has the file {_INCOMPLETE}. Wait for the run that "
            "writes it, or start that run again.",
        )
    for name in names:
        if {"", ".", ".."} & set(name.split("/")):
            raise WrongUseError("INVALID_PATH", f"'{remote.uri}/{name}' is no path of a file.")
    return _copy(names, workers, progress, lambda name, size: _fetch(remote, name, size, folder))


def upload(
    folder: Path, remote: RemoteFolder, workers: int, progress: Callable[[int, int], None]
) -> Counts:
    """Copy all files of a local folder to a remote one. Equal objects that are there are kept.

    Args:
        folder: The folder to read; links are followed.
        remote: The folder to write.
        workers: Number of files that are copied at the same time.
        progress: Called with the bytes done and those of all files.

    Raises:
        WrongUseError: PATH_NOT_FOUND if the folder has no file, BUCKET_NOT_FOUND, …
        SightlineError: HASH_MISMATCH, STORAGE_UNREACHABLE.
    """
    names = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if not names:
        raise WrongUseError("PATH_NOT_FOUND", f"{folder} is not a folder with files.")
    there = remote.list()
    return _copy(
        names, workers, progress, lambda name, _: send_file(folder / name, remote, name, there)
    )


def _copy(
    names: dict[str, int],
    workers: int,
    progress: Callable[[int, int], None],
    one: Callable[[str, int], _Done],
) -> Counts:
    counts, done, total = Counts(), 0, sum(names.values())
    progress(0, total)
    with ThreadPoolExecutor(workers) as pool:
        for group in (
            [name for name in names if PurePosixPath(name).name != _LAST],
            [name for name in names if PurePosixPath(name).name == _LAST],
        ):
            futures = {pool.submit(one, name, names[name]): name for name in group}
            for future in _completed(futures):
                name = futures[future]
                found = future.result()
                done += names[name]
                counts.copied += found.is_copied
                counts.present += not found.is_copied
                counts.read_twice += found.check == "twice"
                if found.check == "size":
                    counts.unchecked.append(name)
                counts.bytes += names[name] if found.is_copied else 0
                progress(done, total)
    return counts


def _completed(futures: dict[Future[_Done], str]) -> Iterator[Future[_Done]]:
    """Yield the futures as they end. After a failure those that have not begun are cancelled."""
    try:
        yield from as_completed(futures)
    finally:
        for future in futures:
            future.cancel()


def _fetch(remote: RemoteFolder, name: str, size: int, folder: Path) -> _Done:
    target = folder / name
    stored = try_again(remote, lambda: remote.hash_of(name))
    if target.is_file() and target.stat().st_size == size:
        matches = stored.matches(target)
        if matches or not stored.md5:
            return _Done(is_copied=False, check="hash" if matches else "size")
    target.parent.mkdir(parents=True, exist_ok=True)
    # The name has the object's hash, so that the parts of two versions are not mixed.
    part = target.with_name(f".{target.name}.{stored.md5[:12]}.part")
    before = ""
    for _ in range(_TRIES):
        try_again(remote, lambda: _continue(remote, name, size, part))
        matches = stored.matches(part)
        local = "" if matches else md5_of(part)
        # Without a certain hash of the store, two equal downloads prove the transfer.
        if matches or (not stored.is_certain and local == before) or not stored.md5:
            os.replace(part, target)  # noqa: PTH105
            check: _Check = "hash" if matches else "twice" if stored.md5 else "size"
            return _Done(is_copied=True, check=check)
        before = local
        part.unlink()
    raise _mismatch(f"{remote.uri}/{name}", "downloaded")


def _continue(remote: RemoteFolder, name: str, size: int, part: Path) -> None:
    start = part.stat().st_size if part.exists() else 0
    if start > size:
        part.unlink()
        start = 0
    if start < size or not size:
        part.touch()
        remote.read(name, start, part, _CHUNK_BYTES)
    if part.stat().st_size != size:
        raise OSError(f"NETWORK_CONNECTION: {name} ended early")


def send_file(source: Path, remote: RemoteFolder, name: str, there: dict[str, int]) -> _Done:
    """Copy one file to an object, unless an equal one is there, and compare the store's hash.

    Args:
        source: The file.
        remote: The folder to write.
        name: Name of the object in it.
        there: Bytes of the objects that are there.

    Raises:
        SightlineError: HASH_MISMATCH, STORAGE_UNREACHABLE, …
    """
    if there.get(name) == source.stat().st_size:
        matches = try_again(remote, lambda: remote.hash_of(name)).matches(source)
        if matches:
            return _Done(is_copied=False)
    for _ in range(_TRIES):
        try_again(remote, lambda: remote.write(name, source, _CHUNK_BYTES))
        stored: StoredHash = try_again(remote, lambda: remote.hash_of(name))
        # An ETag of S3 may be no MD5. Then the object is read back.
        if stored.matches(source) or (
            (not stored.is_certain or not stored.md5)
            and try_again(remote, lambda: remote.md5_of(name, _CHUNK_BYTES)) == md5_of(source)
        ):
            return _Done(is_copied=True)
    raise _mismatch(str(source), "uploaded")


def try_again(remote: RemoteFolder, use: Callable[[], _Result]) -> _Result:
    """Call ``use``, and again if the store fails, with growing pauses: 7 s in all."""
    with remote.errors():
        for attempt in range(_TRIES - 1):
            try:
                return use()
            except OSError as error:
                if not remote.may_pass(error):
                    raise
            time.sleep(2**attempt)
        return use()


def _mismatch(what: str, how: str) -> SightlineError:
    return SightlineError(
        "HASH_MISMATCH",
        f"{what} was {how} {_TRIES} times, and its content never had the hash of the store. Check "
        "the network and the memory of this machine.",
    )
