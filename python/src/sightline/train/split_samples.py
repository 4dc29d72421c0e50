"""Divide labelled images into the parts train, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.errors import WrongUseError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
FOLDERS = "folders"
_VALIDATION_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class SplitShares:
    """Shares of the parts. They add up to 1.

    Args:
        train: Above 0.
        validation: At least 0.
        test: At least 0.
        by_folders: Whether the parts are named by the images' folders (or by a column `split`);
            then only images of ``train`` may move to ``validation``, and only if it is empty.
    """

    train: float = 0.8
    validation: float = 0.1
    test: float = 0.1
    by_folders: bool = False

    @staticmethod
    def parse(text: str) -> SplitShares:
        """Read ``0.8/0.1/0.1`` or ``folders``.

        Raises:
            WrongUseError: INVALID_OPTION.
        """
        if text == FOLDERS:
            return SplitShares(1 - _VALIDATION_SHARE, _VALIDATION_SHARE, 0.0, by_folders=True)
        try:
            shares = [float(part) for part in text.split("/")]
        except ValueError:
            shares = []
        if (
            len(shares) != 3
            or not all(0 <= one <= 1 for one in shares)
            or shares[0] == 0
            or abs(sum(shares) - 1) > 1e-6
        ):
            raise WrongUseError(
                "INVALID_OPTION",
                f"--split is '{text}'. It must be {FOLDERS}, or the shares of train, validation "
                "and test, which add up to 1: 0.8/0.1/0.1.",
            )
        train, validation, test = shares
        return SplitShares(train, validation, test)


def split_samples(
    names: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str] | None,
    known: Sequence[str | None],
    shares: SplitShares,
    seed: int,
) -> list[str]:
    """Return the part of each image. The same names, labels and seed give the same parts.

    The draw is stratified: each label is divided by the shares, as exactly as whole images allow.
    Images of one group are in one part. The order of the draw is the hash of seed and name (or
    group), which does not depend on the order of the images. The jar's `train` draws alike.

    Args:
        names: Of the images, unique: the path below the listed folder, so that a copy of the folder
            is divided alike; the path in a table.
        labels: True label of each image.
        groups: Images of one group, such as one patient, are never in two parts. None: each image
            is a group. The label of a group is that of its first image by name.
        known: Part of each image by its folder, or None. It is used with `by_folders`.
        shares: The shares.
        seed: Another seed gives another draw.

    Raises:
        WrongUseError: NO_SPLIT if `by_folders` and no image has a part ``train``.
    """
    if not shares.by_folders:
        return _draw(names, labels, groups, shares, seed)
    parts = [part if part in PARTS else TRAIN for part in known]
    if TRAIN not in known:
        raise WrongUseError(
            "NO_SPLIT",
            "--split folders needs images in a folder train, and no path has one. Give shares: "
            "--split 0.8/0.1/0.1.",
        )
    if VALIDATION not in parts:
        rows = [row for row, part in enumerate(parts) if part == TRAIN]
        drawn = _draw(
            [names[row] for row in rows],
            [labels[row] for row in rows],
            None if groups is None else [groups[row] for row in rows],
            shares,
            seed,
        )
        for row, part in zip(rows, drawn, strict=True):
            parts[row] = part
    return parts


def _draw(
    names: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str] | None,
    shares: SplitShares,
    seed: int,
) -> list[str]:
    keys = names if groups is None else groups
    first: dict[str, tuple[str, str]] = {}  # group: its first name, and the label of that image
    for name, label, key in zip(names, labels, keys, strict=True):
        if key not in first or name < first[key][0]:
            first[key] = (name, label)
    strata: dict[str, list[str]] = {}
    for key, (_, label) in first.items():
        strata.setdefault(label, []).append(key)
    part_of: dict[str, str] = {}
    for members in strata.values():
        members.sort(key=lambda key: rank(key, seed))
        for at, key in enumerate(members):
            part_of[key] = part_at(at, len(members), shares)
    return [part_of[key] for key in keys]


def part_at(at: int, count: int, shares: SplitShares) -> str:
    """Return the part of the member `at` of a label with `count` members, in the order of ranks.

    The first members are validation, the next are test. A share of at least half a member gets one.
    """
    validation = int(count * shares.validation + 0.5)
    test = int(count * shares.test + 0.5)
    if at < validation:
        return VALIDATION
    return TEST if at < validation + test else TRAIN


def rank(key: str, seed: int) -> str:
    """Return the sha256 of seed and name in hexadecimal, as Spark's `sha2` computes it."""
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()
