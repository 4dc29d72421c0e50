"""Local copies of shards, checked by hash, which later epochs and runs use again."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from sightline.errors import SightlineError, WrongUseError
from sightline.train.sample_index import Shard
from sightline.train.storage import Storage, sha256_of

_SUFFIX = ".arrow"
DEFAULT_CACHE = Path("~/.cache/sightline/samples")


class ShardCache:
    """A folder of shards, named by their hash. Several processes of a node may share it.

    Shards of a local folder are read where they are, and only checked. A remote shard is copied
    when it is first read. The oldest copies are removed when the limit is reached; a process that
    still reads one keeps it until it closes the file.

    Args:
        source: The folder of the samples.
        folder: The folder of the copies; it is made if it is missing.
        most_bytes: Limit for the copies together.
    """

    def __init__(self, source: Storage, folder: Path, most_bytes: int) -> None:
        self._source = source
        self._folder = folder
        self._most_bytes = most_bytes
        self.fetched_bytes = 0
        self._checked: set[str] = set()  # once in a process

    def open(self, shard: Shard) -> Path:
        """Return the path of a checked local file.

        Raises:
            SightlineError: SAMPLES_CORRUPT if the source has other bytes than the index states.
            WrongUseError: CACHE_TOO_SMALL.
        """
        if self._source.is_local:
            path = self._source.path(shard.file)
            if shard.sha256 not in self._checked:
                self._check(path, shard)
            return path
        if shard.bytes > self._most_bytes:
            raise WrongUseError(
                "CACHE_TOO_SMALL",
                f"--cache-gb is {self._most_bytes / 1e9:g}, and one shard has {shard.bytes} bytes.",
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / (shard.sha256 + _SUFFIX)
        with FileLock(f"{path}.lock"):
            if path.exists() and self._is_whole(path, shard):
                os.utime(path)
                return path
            self._make_room(shard.bytes)
            part = path.with_suffix(".part")
            try:
                self._source.fetch(shard.file, part)
                self._check(part, shard)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        self.fetched_bytes += shard.bytes
        return path

    def _is_whole(self, path: Path, shard: Shard) -> bool:
        """Whether a copy of an earlier run has its hash; it is removed if not."""
        if shard.sha256 in self._checked:
            return True
        try:
            self._check(path, shard)
        except SightlineError:
            path.unlink(missing_ok=True)
            return False
        return True

    def _check(self, path: Path, shard: Shard) -> None:
        try:
            found = sha256_of(path)
        except FileNotFoundError:
            found = "no file"
        if found != shard.sha256:
            raise SightlineError(
                "SAMPLES_CORRUPT",
                f"{self._source.root}/{shard.file} has sha256 {found[:12]}, and its index states "
                f"{shard.sha256[:12]}. Prepare the samples again in another --output.",
            )
        self._checked.add(shard.sha256)

    def _make_room(self, needed: int) -> None:
        copies = []
        for file in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(FileNotFoundError):  # another process removed it
                status = file.stat()
                copies.append((status.st_mtime, status.st_size, file))
        total = sum(size for _, size, _ in copies)
        for _, size, file in sorted(copies):
            if total + needed <= self._most_bytes:
                return
            file.unlink(missing_ok=True)
            total -= size
