"""The file `index.json` of a set of samples: its labels, parts and shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sightline.errors import SightlineError, WrongUseError
from sightline.train.split_samples import PARTS
from sightline.train.storage import Storage

INDEX_FILE = "index.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of samples.

    Args:
        file: Its name in the folder of the index.
        rows: Number of samples, at least 1.
        bytes: Size of the file.
        sha256: Of the file, in hexadecimal.
    """

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SampleIndex:
    """The samples of a training run.

    Args:
        labels: Label of each class, by class id.
        parts: The shards of ``train``, ``validation`` and ``test``, in the order of their rows.
        counts: For each part, the number of samples of each class, by class id.
        left_out: Images that cannot be read or decoded, by error code.
        images: The text of ``--images``.
    """

    labels: tuple[str, ...]
    parts: Mapping[str, tuple[Shard, ...]]
    counts: Mapping[str, tuple[int, ...]]
    left_out: Mapping[str, int] = field(default_factory=dict)
    images: str = ""

    def rows(self, part: str) -> int:
        """Return the number of samples of a part."""
        return sum(shard.rows for shard in self.parts.get(part, ()))

    @property
    def sha256(self) -> str:
        """Identity of the samples: the sha256 of labels and shards, in hexadecimal."""
        shards = {part: [one.sha256 for one in self.parts.get(part, ())] for part in PARTS}
        return hashlib.sha256(json.dumps([self.labels, shards]).encode()).hexdigest()

    def write(self, folder: Storage) -> None:
        """Write the index. It is the last file of a set of samples, and marks it complete."""
        content = {"format": _FORMAT, **asdict(self)}
        folder.write(
            INDEX_FILE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
        )

    @staticmethod
    def read(folder: Storage) -> SampleIndex:
        """Read the index of a folder.

        Raises:
            WrongUseError: NO_SAMPLES if the folder has no index.
            SightlineError: SAMPLES_CORRUPT if it cannot be read.
        """
        try:
            content = json.loads(folder.read(INDEX_FILE))
        except FileNotFoundError as error:
            raise WrongUseError(
                "NO_SAMPLES",
                f"{folder.root} has no {INDEX_FILE}, so it is not a complete set of samples.",
            ) from error
        except ValueError as error:
            raise SightlineError(
                "SAMPLES_CORRUPT", f"{folder.root}/{INDEX_FILE} is not JSON: {error}."
            ) from error
        if content.get("format") != _FORMAT:
            raise SightlineError(
                "SAMPLES_CORRUPT",
                f"{folder.root}/{INDEX_FILE} has format {content.get('format')}, not {_FORMAT}.",
            )
        return SampleIndex(
            tuple(content["labels"]),
            {
                part: tuple(Shard(**one) for one in shards)
                for part, shards in content["parts"].items()
            },
            {part: tuple(counts) for part, counts in content["counts"].items()},
            content["left_out"],
            content["images"],
        )
