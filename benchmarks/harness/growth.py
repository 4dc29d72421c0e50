"""How time and memory grow with images, partitions and paths."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from harness import million
from harness.benchmark import write_record
from harness.catalogue import sightline
from harness.coprocess import Coprocess
from harness.figures import fit
from harness.regime import Regime, open_regime
from sightline.errors import SightlineError

_PARTITION_IMAGES = 4000  # the same for each number of partitions
_SPLIT = """INSERT OVERWRITE DIRECTORY '{output}' USING parquet
SELECT path, result.class_id, result.confidence FROM (
  SELECT path, get_image_inference_udf(path, 'onnx') AS result
  FROM (SELECT /*+ REPARTITION({count}) */ path FROM parquet.`{table}`));
"""


@dataclass(frozen=True)
class GrowthArguments:
    """What is measured.

    Args:
        repository: The checkout.
        work: Where inputs and logs go.
        output: The record, whose entry ``growth`` is written.
        most_images: Of the largest job; the others hold a tenth and a hundredth.
        most_partitions: Of the finest split; the others are from 2 on, ten times each.
        paths: How many are listed.
    """

    repository: Path
    work: Path
    output: Path
    most_images: int
    most_partitions: int
    paths: int


def measure_growth(arguments: GrowthArguments) -> dict[str, Any]:
    """Measure, write it into the record, and give it.

    Raises:
        SightlineError: BENCH_SETUP if the model of the small images cannot be made.
    """
    opened = open_regime("light", arguments.repository, arguments.work, None)
    series: list[dict[str, Any]] = []
    if isinstance(opened, str):
        tqdm.write(f"images and partitions: skipped: {opened}", sys.stderr)
        series.append({"name": "images", "title": f"Images: skipped: {opened}", "steps": []})
    else:
        series.append(_images(arguments, opened))
        series.append(_partitions(arguments, opened))
    series.append(million.measure_listing(arguments.repository, arguments.work, arguments.paths))
    growth = {"series": series}
    write_record(arguments.output, {"format": 1, "growth": growth})
    return growth


def _images(arguments: GrowthArguments, regime: Regime) -> dict[str, Any]:
    """`predict` over tables of ever more paths, each in an application of its own."""
    most, steps = arguments.most_images, []
    for images in sorted({max(most // 100, 1), max(most // 10, 1), most}):
        output = arguments.work / "outputs" / f"growth-{images}"
        table = _paths(regime.files, images, arguments.work / "inputs" / "growth")
        options = f"--model {regime.model} --output {output} --labels none"
        line = f"predict --images {table} {options}"
        steps.append(_step(arguments, f"{images}-images", images, images, line, output))
    title = "Images: small JPEGs by a table of paths, one application each"
    return _series("images", title, "1,000 images", 1000, steps)


def _partitions(arguments: GrowthArguments, regime: Regime) -> dict[str, Any]:
    """The SQL function over the same images in ever more partitions."""
    counts, steps = [2], []
    while counts[-1] * 10 <= arguments.most_partitions:
        counts.append(counts[-1] * 10)
    images = min(_PARTITION_IMAGES, arguments.most_images)
    table = _paths(regime.files, images, arguments.work / "inputs" / "growth")
    for count in counts:
        output = arguments.work / "outputs" / f"growth-partitions-{count}"
        file = arguments.work / "notes" / f"growth-partitions-{count}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_SPLIT.format(output=output, count=count, table=table), "utf-8")
        line = f"sql --file {file} --set spark.sightline.imageModel={regime.model}"
        steps.append(_step(arguments, f"{count}-partitions", images, count, line, output))
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
    arguments: GrowthArguments, name: str, images: int, at: int, line: str, output: Path
) -> dict[str, Any]:
    tqdm.write(f"growth: {name.replace('-', ' ')}", sys.stderr)
    shutil.rmtree(output, ignore_errors=True)
    step: dict[str, Any] = {"at": at, "images": images}
    try:
        log = arguments.work / "logs" / f"growth-{name}.log"
        with Coprocess(sightline(arguments.repository), log) as process:
            usage, _ = process.ask(line, images)
            step |= {
                "wall_s": round(usage.wall_s, 2),
                "cpu_s": round(usage.cpu_s, 2),
                "jvm_mib": round(process.tree.jvm_mib()),
                "worker_mib": round(process.tree.largest_worker_mib()),
            }
    except SightlineError as error:
        step["skipped"] = error.message
    shutil.rmtree(output, ignore_errors=True)
    return step


def _paths(files: Sequence[Path], images: int, folder: Path) -> Path:
    """A table of images, repeated where they are too few; it replaces the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "paths.parquet"
    paths = [str(files[at % len(files)]) for at in range(images)]
    pq.write_table(pa.table({"path": paths}), table)
    return table
