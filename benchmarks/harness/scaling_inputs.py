"""A collection in many sizes, all of links: samples of it, and itself several times over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sightline.errors import SightlineError, WrongUseError


@dataclass(frozen=True)
class Size:
    """The collection in one size.

    Args:
        name: For people: ``5 %``, ``2 times``.
        images: How many.
        folder: Their links, in the collection's layout.
    """

    name: str
    images: int
    folder: Path


def make_sizes(
    images: Path, percentages: Sequence[float], times: Sequence[int], place: Path
) -> list[Size]:
    """Link the sizes, the smallest first; what was in `place` goes.

    Args:
        images: The collection's folder.
        percentages: By `sightline subset`, so that all are nested.
        times: Each image so many times, under names of its own.
        place: A folder for them.

    Raises:
        WrongUseError: PATH_NOT_FOUND.
        SightlineError: BENCH_SETUP if `subset` fails.
    """
    if not images.is_dir():
        raise WrongUseError("PATH_NOT_FOUND", f"{images} is no folder of images.")
    shutil.rmtree(place, ignore_errors=True)
    sizes = [_sample(images.absolute(), percentage, place) for percentage in percentages]
    sizes += [_repeat(images.absolute(), count, place) for count in times]
    return sorted(sizes, key=lambda size: size.images)


def _sample(images: Path, percentage: float, place: Path) -> Size:
    folder = place / f"percent-{percentage:g}"
    options: tuple[str | Path, ...] = ("--percentage", f"{percentage:g}", "--images", images)
    command = [sys.executable, "-m", "sightline", "subset", *options, "--output", folder]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode != 0:
        last = (made.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SightlineError("BENCH_SETUP", f"{percentage:g} % could not be linked: {last}")
    record = json.loads((folder / "_run/run.json").read_text("utf-8"))
    return Size(f"{percentage:g} %", record["counts"]["images"], folder)


def _repeat(images: Path, times: int, place: Path) -> Size:
    folder, count = place / f"times-{times}", 0
    for parent, subfolders, names in os.walk(images):
        subfolders[:] = [name for name in subfolders if not name.startswith(("_", "."))]
        target = folder / Path(parent).relative_to(images)
        target.mkdir(parents=True)
        for name in names:
            if not name.startswith(("_", ".")):
                file = Path(parent, name)
                for copy in range(times):
                    link = target / f"{file.stem}.{copy:03}{file.suffix}"
                    link.symlink_to(file)
                count += times
    return Size(f"{times} times", count, folder)
