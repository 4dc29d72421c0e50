"""Draw a sample of a collection, stratified by split and label."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.source.listing import LABEL, PATH, Listing
from sightline.source.split import SPLIT, with_file_columns


@dataclass(frozen=True, slots=True)
class Stratum:
    """The images of one label in one split.

    Args:
        split: ``train``, ``test``, …; None if unknown.
        label: True label; None if unknown.
        images: Number of listed images, at least 1.
        chosen: Number of images in the sample, at least 1.
    """

    split: str | None
    label: str | None
    images: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of a listing.

    Args:
        rows: Row numbers of the listing, ascending.
        names: A name for each row of the listing that is the same on every machine: the path
            relative to the listed folder, or the path in the table.
        strata: The strata, sorted by split and label.
    """

    rows: list[int]
    names: list[str]
    strata: list[Stratum]


def choose_sample(listing: Listing, percentage: float, seed: int) -> Sample:
    """Choose a share of each stratum: the images with the lowest hash of seed and name.

    Samples with the same seed are nested: the sample of 5 % contains the sample of 1 %. The hash
    depends only on the name, so a copy of the folder gives the same sample, and adding images to
    a collection changes few rows of its sample.

    Args:
        listing: All images.
        percentage: Share of each stratum, above 0 and at most 100. It is rounded, but at least one
            image is chosen.
        seed: Another seed gives another sample.
    """
    names = stable_names(listing)
    columns = with_file_columns(listing).table.select([SPLIT, LABEL]).to_pydict()
    members: dict[tuple[str | None, str | None], list[int]] = {}
    for row, stratum in enumerate(zip(columns[SPLIT], columns[LABEL], strict=True)):
        members.setdefault(stratum, []).append(row)
    ranks = _ranks(names, seed)
    rows: list[int] = []
    strata = []
    for split, label in sorted(members, key=lambda stratum: [part or "" for part in stratum]):
        images = members[split, label]
        count = max(1, math.floor(len(images) * percentage / 100 + 0.5))
        rows += sorted(images, key=lambda row: (ranks[row], row))[:count]
        strata.append(Stratum(split, label, len(images), count))
    return Sample(sorted(rows), names, strata)


def stable_names(listing: Listing) -> list[str]:
    """Return a name for each row that is the same on every machine: see `Sample`."""
    if listing.root is None:
        return [str(path) for path in listing.table.column(PATH).to_pylist()]
    above = os.path.join(listing.root, "")  # noqa: PTH118 - ends with the separator, also of /
    return [file.removeprefix(above) for file in listing.files]


def _ranks(names: Sequence[str], seed: int) -> list[bytes]:
    key = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()
    return [hashlib.blake2b(os.fsencode(name), key=key, digest_size=16).digest() for name in names]
