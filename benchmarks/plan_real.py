"""Compare the estimate of `plan` with the real run of `predict`, and write a page of docs/.

    .venv/bin/python benchmarks/plan_real.py --work /tmp/plan --output docs/estimates.md \
        [--images 3000] [--rounds 2] [--cores 2]

A round runs `plan` and then `predict` for each case. Other programs make both slower, so the page
has the machine's load at the start of each program.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.bench_models import light_model
from harness.checkout import JAR, MODELS, require_jar, shared_data
from harness.machine import describe_commit, describe_machine, now

SUBMIT = Path(sys.executable).with_name("spark-submit")


@dataclass(frozen=True)
class Case:
    """Images and a model."""

    name: str
    images: Path
    model: Path


@dataclass(frozen=True)
class Numbers:
    """What `plan` expects or what `predict` needed; `load` is the load average at its start."""

    predict_seconds: float
    whole_seconds: float
    images_per_second: float
    decode_ms: float
    model_ms: float
    load: float


def main() -> int:
    """Measure all cases and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for images and outputs")
    parser.add_argument("--output", type=Path, required=True, help="the page")
    parser.add_argument("--images", type=int, default=3000, help="images of a run (default 3000)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds (default 2)")
    parser.add_argument("--cores", type=int, default=2, help="parallel tasks (default 2)")
    arguments = parser.parse_args()
    require_jar()
    cases = _cases(arguments.work, arguments.images, arguments.cores)
    rows = []
    for round_ in range(1, arguments.rounds + 1):
        for case in cases:
            estimate, bottleneck = _estimate(case, arguments.cores)
            real = _real(case, arguments.work / "predictions", arguments.cores)
            rows.append(_rows(case, round_, estimate, real, bottleneck))
            print(rows[-1], file=sys.stderr)
            page = _page(arguments.images, arguments.cores, rows)
            arguments.output.write_text(page, "utf-8")
    return 0


def _cases(work: Path, count: int, cores: int) -> list[Case]:
    shared = shared_data()
    photographs = _copies(sorted((shared / "imagenet").rglob("*.jpg")), count, work / "photographs")
    fruits = _copies(sorted((shared / "fruits").rglob("*.jpg")), count, work / "fruits")
    light = light_model(
        shared / "weights/mobilenet_v2_1.0_224.torchvision.safetensors",
        shared / "imagenet/classes.txt",
        work / "models",
    )
    packed = work / "photographs.parquet"
    if not packed.is_dir():
        _run(["pack-images", "--images", str(photographs), "--output", str(packed)], cores)
    heavy = MODELS / "efficientnet_lite0"
    return [
        Case("heavy model, folder", photographs, heavy),
        Case("heavy model, Parquet of images", packed, heavy),
        Case("light model, folder", fruits, light),
    ]


def _copies(files: list[Path], count: int, folder: Path) -> Path:
    """Copy files, again from the first one if there are too few."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for at in range(count):
            shutil.copyfile(files[at % len(files)], folder / f"{at:06d}.jpg")
    return folder


def _estimate(case: Case, cores: int) -> tuple[Numbers, str]:
    load = psutil.getloadavg()[0]
    found: dict[str, Any] = json.loads(_run([*_line("plan", case), "--json"], cores))
    own = found["runs"][0]
    parts = found["cpu_ms_per_image"]
    numbers = Numbers(
        own["predict_seconds"],
        own["seconds"],
        own["images_per_second"],
        parts["decode"],
        parts["model"],
        load,
    )
    return numbers, found["bottleneck"]


def _real(case: Case, output: Path, cores: int) -> Numbers:
    load = psutil.getloadavg()[0]
    _run([*_line("predict", case), "--output", str(output), "--overwrite"], cores)
    found: dict[str, Any] = json.loads((output / "_run/run.json").read_text("utf-8"))
    seconds, images = found["seconds"], found["counts"]["images"]
    return Numbers(
        seconds["predict"],
        sum(seconds.values()),
        images / seconds["predict"],
        1000 * found["worker"]["decode_cpu_s"] / images,
        1000 * found["worker"]["infer_cpu_s"] / images,
        load,
    )


def _line(command: str, case: Case) -> list[str]:
    return [command, "--images", str(case.images), "--model", str(case.model)]


def _run(line: list[str], cores: int) -> str:
    """Run a command of the jar and return its standard output."""
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    environment.pop("SPARK_HOME", None)
    command = [str(SUBMIT), "--master", f"local[{cores}]", str(JAR), *line]
    done = subprocess.run(  # noqa: S603 - the jar
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout


def _rows(case: Case, round_: int, estimate: Numbers, real: Numbers, bottleneck: str) -> str:
    def pair(name: str, decimals: int) -> str:
        planned, needed = getattr(estimate, name), getattr(real, name)
        return f"{planned:.{decimals}f} / {needed:.{decimals}f}"

    ratio = estimate.whole_seconds / real.whole_seconds
    cells = [
        case.name,
        str(round_),
        pair("predict_seconds", 1),
        pair("whole_seconds", 1),
        f"{100 * (ratio - 1):+.0f} %",
        pair("images_per_second", 0),
        pair("decode_ms", 2),
        pair("model_ms", 2),
        bottleneck,
        pair("load", 1),
    ]
    return f"| {' | '.join(cells)} |"


def _page(images: int, cores: int, rows: list[str]) -> str:
    machine = describe_machine()
    header = (
        "| case | round | predict s | whole s | difference | images/s | decode CPU-ms | "
        "model CPU-ms | bottleneck | load |"
    )
    lines = [
        "# Estimates of `plan` and real runs",
        "",
        "`benchmarks/plan_real.py` writes this page. No figure is typed by hand.",
        "",
        f"Measured {now()} at commit {describe_commit()}, on {machine['processor']}, "
        f"{machine['cores']} cores, `--master local[{cores}]`. `plan` measured its default sample "
        f"of 200 images; `predict` then ran all {images:,}.",
        "",
        "A cell has the estimate / the real run. *whole* is the time from the start of the "
        "program; the real one also has the count of the output, which `plan` does not estimate. "
        "*load* is the load average at the start of `plan` / of `predict`: above the number of "
        "cores, other programs took a part of the machine, and not the same part of both.",
        "",
        header,
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
