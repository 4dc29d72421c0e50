"""A sample of a collection in which every split and label keeps its share."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.source.file_columns import SPLIT, with_file_columns
from sightline.source.listing import LABEL, PATH, Listing


@dataclass(frozen=True, slots=True)
class Stratum:
    """The images of one label in one split.

    Args:
        split: ``train``, ``test``, …; None where nothing says so.
        label: The true label; None where it is not known.
        images: How many were listed.
        chosen: How many of them are in the sample: at least one.
    """

    split: str | None
    label: str | None
    images: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Subset:
    """A sample.

    Args:
        rows: Of the listing, ascending.
        names: What each row of the whole listing is known by, whatever machine it is on: its path
            below the listed folder; of a table, its path as given.
        strata: By split and label.
    """

    rows: list[int]
    names: list[str]
    strata: list[Stratum]


def choose_subset(listing: Listing, percentage: float, seed: int) -> Subset:
    """Choose a share of each stratum, by rank of a hash of the seed and the image's name.

    Samples of one seed are nested: what is in 1 % is in 5 %, so that growth compares like with
    like. An image's rank hangs on its name alone, so the same folder elsewhere gives the same
    sample, and images that join a collection push few out of it.

    Args:
        listing: All images.
        percentage: Above 0, at most 100; each stratum gives that share, rounded, but at least one.
        seed: Another seed is another sample.
    """
    names = _names(listing)
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
    return Subset(sorted(rows), names, strata)


def _names(listing: Listing) -> list[str]:
    if listing.root is None:
        return [str(path) for path in listing.table.column(PATH).to_pylist()]
    above = os.path.join(listing.root, "")  # noqa: PTH118 - ends with the separator, also of /
    return [file.removeprefix(above) for file in listing.files]


def _ranks(names: Sequence[str], seed: int) -> list[bytes]:
    key = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()
    return [hashlib.blake2b(os.fsencode(name), key=key, digest_size=16).digest() for name in names]
