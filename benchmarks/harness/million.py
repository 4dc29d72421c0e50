"""Listing very many files: a tree of folders, and one flat folder."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.catalogue import sightline
from harness.coprocess import Coprocess
from sightline.errors import SightlineError

_PER_FOLDER = 1000
_SPARE_INODES = 1.5  # as many as are made, and half of that for others


def measure_listing(repository: Path, work: Path, paths: int) -> dict[str, Any]:
    """List empty files by the data source, on a driver of 2 GB; they are removed again.

    The statement counts paths, so that every one is seen and no file is opened.
    """
    steps = []
    for shape in ("tree", "flat"):
        tqdm.write(f"growth: listing {paths:,} empty files, {shape}", sys.stderr)
        folder = work / "inputs" / f"listing-{shape}"
        shutil.rmtree(folder, ignore_errors=True)
        step: dict[str, Any] = {"at": paths, "shape": shape}
        try:
            _require_room(work, paths)
            _make(folder, paths, shape)
            step |= _list(repository, work, folder, shape, paths)
        except SightlineError as error:
            step["skipped"] = error.message
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        steps.append(step)
    title = f"Listing of {paths:,} empty files on a driver of 2 GB: a tree, one flat folder"
    return {"name": "listing", "title": title, "steps": steps, "fit": None}


def _list(repository: Path, work: Path, folder: Path, shape: str, paths: int) -> dict[str, Any]:
    notes = work / "notes"
    notes.mkdir(parents=True, exist_ok=True)
    table = notes / f"listing-{shape}.sql"
    table.write_text(
        f"CREATE OR REPLACE TEMPORARY VIEW listed USING sightline OPTIONS (path '{folder}');\n"
        "SELECT count(*) AS files, sum(length) AS bytes, max(path) AS last FROM listed;\n",
        "utf-8",
    )
    log = work / "logs" / f"listing-{shape}.log"
    with Coprocess(sightline(repository), log) as process:
        process.ask('sql -e "SELECT 1"', 1)  # Spark's own start is not the listing's
        usage, _ = process.ask(f"sql --file {table}", paths)
        if not re.search(rf"\|\s*{paths}\s*\|", log.read_text("utf-8", "replace")):
            why = f"the statement did not count {paths} files (see {log})"
            raise SightlineError("BENCH_OUTPUT", why)
        return {
            "wall_s": round(usage.wall_s, 2),
            "cpu_s": round(usage.cpu_s, 2),
            "jvm_mib": round(process.tree.jvm_mib()),
        }


def _require_room(work: Path, paths: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    free = os.statvfs(work).f_favail
    if free < paths * _SPARE_INODES:
        raise SightlineError(
            "BENCH_SETUP", f"{work} has room for {free:,} more files, too few for {paths:,}"
        )


def _make(folder: Path, paths: int, shape: str) -> None:
    """Empty files; a tree has a thousand in each folder."""
    for first in range(0, paths, _PER_FOLDER):
        place = folder / f"{first // _PER_FOLDER:04}" if shape == "tree" else folder
        place.mkdir(parents=True, exist_ok=True)
        for at in range(first, min(first + _PER_FOLDER, paths)):
            os.close(os.open(place / f"{at:07}.jpg", os.O_CREAT | os.O_WRONLY, 0o644))
