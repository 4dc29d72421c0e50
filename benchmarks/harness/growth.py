"""Measures time and memory as images, partitions and listed paths grow."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from harness.coprocess import Coprocess
from harness.errors import BenchError
from harness.programs import sightline
from harness.record import write_record
from harness.regimes import Regime, open_regime
from harness.statistics import fit

_PARTITION_IMAGES = 4000  # for every number of partitions
_SPLIT = """INSERT OVERWRITE DIRECTORY '{output}' USING parquet
SELECT path, result.class_id, result.confidence FROM (
  SELECT path, get_image_inference_udf(path, 'onnx') AS result
  FROM (SELECT /*+ REPARTITION({count}) */ path FROM parquet.`{table}`));
"""
_LIST = """CREATE OR REPLACE TEMPORARY VIEW listed USING sightline OPTIONS (path '{folder}');
SELECT count(*) AS files, sum(length) AS bytes, max(path) AS last FROM listed;
"""
_FILES_PER_FOLDER = 1000
_SPARE_INODES = 1.5  # free inodes that are required, as a multiple of the files


@dataclass(frozen=True)
class GrowthArguments:
    """What to measure.

    Args:
        work: Folder for inputs and logs.
        results: The record; its entry ``growth`` is written.
        most_images: Images of the largest job. The others have a tenth and a hundredth.
        most_partitions: Maximum number of partitions. The steps are 2, 20, 200, …
        paths: Number of files to list.
    """

    work: Path
    results: Path
    most_images: int
    most_partitions: int
    paths: int


def measure_growth(arguments: GrowthArguments) -> dict[str, Any]:
    """Measure, write the entry of the record, and return it.

    Raises:
        BenchError: BENCH_SETUP if the model of the small images cannot be made.
    """
    regime = open_regime("light", arguments.work)
    series: list[dict[str, Any]] = []
    if isinstance(regime, str):
        tqdm.write(f"images and partitions: skipped: {regime}", sys.stderr)
        series.append({"name": "images", "title": f"Images: skipped: {regime}", "steps": []})
    else:
        series.append(_by_images(arguments, regime))
        series.append(_by_partitions(arguments, regime))
    series.append(_listing(arguments.work, arguments.paths))
    growth = {"series": series}
    write_record(arguments.results, {"growth": growth})
    return growth


def _by_images(arguments: GrowthArguments, regime: Regime) -> dict[str, Any]:
    """Run `predict` over tables of paths of growing length, each in its own application."""
    most, steps = arguments.most_images, []
    for images in sorted({max(most // 100, 1), max(most // 10, 1), most}):
        output = arguments.work / "outputs" / f"growth-{images}"
        table = _write_paths(regime.sets[0].files, images, arguments.work / "inputs" / "growth")
        options = f"--model {regime.model} --output {output} --labels none"
        request = f"predict --images {table} {options}"
        steps.append(_step(arguments, f"{images}-images", images, images, request, output))
    title = "Images: small JPEGs by a table of paths, one application each"
    return _series("images", title, "1,000 images", 1000, steps)


def _by_partitions(arguments: GrowthArguments, regime: Regime) -> dict[str, Any]:
    """Run the SQL function over the same images in a growing number of partitions."""
    counts, steps = [2], []
    while counts[-1] * 10 <= arguments.most_partitions:
        counts.append(counts[-1] * 10)
    images = min(_PARTITION_IMAGES, arguments.most_images)
    table = _write_paths(regime.sets[0].files, images, arguments.work / "inputs" / "growth")
    for count in counts:
        output = arguments.work / "outputs" / f"growth-partitions-{count}"
        file = arguments.work / "scratch" / f"growth-partitions-{count}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_SPLIT.format(output=output, count=count, table=table), "utf-8")
        request = f"sql --file {file} --set spark.sightline.imageModel={regime.model}"
        steps.append(_step(arguments, f"{count}-partitions", images, count, request, output))
    title = f"Partitions: {images:,} small JPEGs by the SQL function, one application each"
    return _series("partitions", title, "partition", 1, steps)


def _series(
    name: str, title: str, unit: str, scale: int, steps: list[dict[str, Any]]
) -> dict[str, Any]:
    done = [step for step in steps if not step.get("skipped")]
    fitted = None
    if len(done) > 2:
        line = fit([step["at"] / scale for step in done], [step["wall_s"] for step in done])
        each = f"{line.intercept:.1f} s + {1000 * line.slope:.1f} ms for each {unit}"
        fitted = asdict(line) | {"each": each}
    return {"name": name, "title": title, "steps": steps, "fit": fitted}


def _step(
    arguments: GrowthArguments, name: str, images: int, at: int, request: str, output: Path
) -> dict[str, Any]:
    tqdm.write(f"growth: {name.replace('-', ' ')}", sys.stderr)
    shutil.rmtree(output, ignore_errors=True)
    step: dict[str, Any] = {"at": at, "images": images}
    try:
        with Coprocess(sightline(), arguments.work / "logs" / f"growth-{name}.log") as process:
            usage, _ = process.ask(request, images)
            step |= usage.to_step() | {
                "jvm_mib": round(process.tree.jvm_mib()),
                "worker_mib": round(process.tree.largest_worker_mib()),
            }
    except BenchError as error:
        step["skipped"] = error.message
    shutil.rmtree(output, ignore_errors=True)
    return step


def _write_paths(files: Sequence[Path], images: int, folder: Path) -> Path:
    """Write a table of paths, replacing the last one; files are repeated if there are too few."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "paths.parquet"
    paths = [str(files[at % len(files)]) for at in range(images)]
    pq.write_table(pa.table({"path": paths}), table)
    return table


def _listing(work: Path, paths: int) -> dict[str, Any]:
    """List empty files, in a tree of folders and in one flat folder, on a driver of 2 GB.

    A tree has a thousand files per folder. The statement counts the paths, so no file is opened.
    """
    steps = []
    for shape in ("tree", "flat"):
        tqdm.write(f"growth: listing {paths:,} empty files, {shape}", sys.stderr)
        folder = work / "inputs" / f"listing-{shape}"
        shutil.rmtree(folder, ignore_errors=True)
        step: dict[str, Any] = {"at": paths, "shape": shape}
        try:
            require_inodes(work, paths)
            _make_files(folder, paths, shape)
            step |= _list(work, folder, shape, paths)
        except BenchError as error:
            step["skipped"] = error.message
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        steps.append(step)
    title = f"Listing of {paths:,} empty files on a driver of 2 GB: a tree, one flat folder"
    return {"name": "listing", "title": title, "steps": steps, "fit": None}


def _list(work: Path, folder: Path, shape: str, paths: int) -> dict[str, Any]:
    statement = work / "scratch" / f"listing-{shape}.sql"
    statement.parent.mkdir(parents=True, exist_ok=True)
    statement.write_text(_LIST.format(folder=folder), "utf-8")
    log = work / "logs" / f"listing-{shape}.log"
    with Coprocess(sightline(), log) as process:
        process.ask('sql -e "SELECT 1"', 1)  # starts Spark, so that its start is not measured
        usage, _ = process.ask(f"sql --file {statement}", paths)
        if not re.search(rf"\|\s*{paths}\s*\|", log.read_text("utf-8", "replace")):
            why = f"the statement did not count {paths} files (see {log})"
            raise BenchError("BENCH_OUTPUT", why)
        return usage.to_step() | {"jvm_mib": round(process.tree.jvm_mib())}


def require_inodes(work: Path, files: int) -> None:
    """Check that the file system has room for that many files.

    Raises:
        BenchError: BENCH_SETUP.
    """
    work.mkdir(parents=True, exist_ok=True)
    free = os.statvfs(work).f_favail
    if free < files * _SPARE_INODES:
        message = f"{work} has room for {free:,} more files, too few for {files:,}"
        raise BenchError("BENCH_SETUP", message)


def _make_files(folder: Path, paths: int, shape: str) -> None:
    for first in range(0, paths, _FILES_PER_FOLDER):
        parent = folder / f"{first // _FILES_PER_FOLDER:04}" if shape == "tree" else folder
        parent.mkdir(parents=True, exist_ok=True)
        for at in range(first, min(first + _FILES_PER_FOLDER, paths)):
            os.close(os.open(parent / f"{at:07}.jpg", os.O_CREAT | os.O_WRONLY, 0o644))
