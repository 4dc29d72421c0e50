"""Makes a collection of images in several sizes, with links: samples and multiples."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench_models import last_error
from harness.errors import BenchError, WrongUseError


@dataclass(frozen=True)
class Size:
    """The collection in one size.

    Args:
        name: Name in tables: ``5 %``, ``2 times``.
        images: Number of images.
        folder: Links to the images, in the layout of the collection.
    """

    name: str
    images: int
    folder: Path


def make_sizes(
    images: Path, percentages: Sequence[float], times: Sequence[int], folder: Path
) -> list[Size]:
    """Make the sizes, and return them by number of images.

    Args:
        images: Folder of the collection.
        percentages: Sizes of samples, by `sightline subset`, which nests them.
        times: Numbers of links per image.
        folder: Folder for the sizes; its old contents are removed.

    Raises:
        WrongUseError: PATH_NOT_FOUND.
        BenchError: BENCH_SETUP if `subset` fails.
    """
    if not images.is_dir():
        raise WrongUseError("PATH_NOT_FOUND", f"{images} is not a folder of images.")
    shutil.rmtree(folder, ignore_errors=True)
    sizes = [_sample(images.absolute(), percentage, folder) for percentage in percentages]
    sizes += [_multiple(images.absolute(), count, folder) for count in times]
    return sorted(sizes, key=lambda size: size.images)


def _sample(images: Path, percentage: float, parent: Path) -> Size:
    folder = parent / f"percent-{percentage:g}"
    options: tuple[str | Path, ...] = ("--percentage", f"{percentage:g}", "--images", images)
    command = [sys.executable, "-m", "sightline", "subset", *options, "--output", folder]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode != 0:
        message = f"{percentage:g} % could not be linked: {last_error(run.stderr)}"
        raise BenchError("BENCH_SETUP", message)
    record = json.loads((folder / "_run/run.json").read_text("utf-8"))
    return Size(f"{percentage:g} %", record["counts"]["images"], folder)


def _multiple(images: Path, times: int, parent: Path) -> Size:
    folder, count = parent / f"times-{times}", 0
    for source, subfolders, names in os.walk(images):
        subfolders[:] = [name for name in subfolders if not name.startswith(("_", "."))]
        target = folder / Path(source).relative_to(images)
        target.mkdir(parents=True)
        for name in names:
            if not name.startswith(("_", ".")):
                file = Path(source, name)
                for copy in range(times):
                    link = target / f"{file.stem}.{copy:03}{file.suffix}"
                    link.symlink_to(file)
                count += times
    return Size(f"{times} times", count, folder)
