"""Measures `features` and `pca` as a collection grows, and the raw parts for comparison."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.checkout import MODELS, require_jar
from harness.collection_sizes import Size, make_sizes
from harness.coprocess import Coprocess
from harness.errors import BenchError, WrongUseError
from harness.inputs import ImageSet, prepare_inputs
from harness.machine import describe_setup
from harness.programs import find_program, sightline
from harness.record import write_record
from harness.usage import Usage, marginal

_PARTS_IMAGES = 400  # in memory, for the raw parts
_BATCH_ROWS = 32  # of raw inference
_PARTS = {"raw-decode": "raw decoding, bytes in memory", "raw-inference": "raw inference"}


@dataclass(frozen=True)
class ScalingArguments:
    """What to measure.

    Args:
        work: Folder for links, outputs and logs.
        results: The record; its entry ``scaling`` is written.
        images: Folder of the collection.
        model: Folder of a bundle, or its name in models/ of the checkout.
        percentages: Sizes of samples, above 0, at most 100.
        times: Sizes above the collection: numbers of links per image.
        k: Number of components of the PCA.
        rounds: Runs of each size.
        price_per_hour: Assumed price of this machine, in any currency.
    """

    work: Path
    results: Path
    images: Path
    model: str
    percentages: Sequence[float]
    times: Sequence[int]
    k: int
    rounds: int
    price_per_hour: float


def measure_scaling(arguments: ScalingArguments) -> dict[str, Any]:
    """Measure, write the entry of the record after each run, and return it.

    Raises:
        WrongUseError: PATH_NOT_FOUND, UNKNOWN_MODEL, NO_JAR.
        BenchError: BENCH_SETUP if the links cannot be made.
    """
    started = time.time()
    model = _find_model(arguments.model)
    require_jar()
    folder = arguments.work / "inputs/scaling"
    sizes = make_sizes(arguments.images, arguments.percentages, arguments.times, folder)
    scaling: dict[str, Any] = {
        **describe_setup(),
        "collection": "/".join(arguments.images.absolute().parts[-2:]),
        "model": model.name,
        "k": arguments.k,
        "rounds": arguments.rounds,
        "price_per_hour": arguments.price_per_hour,
        "steps": [],
        "raw": [],
    }
    for round_ in range(arguments.rounds):
        for size in sizes if round_ % 2 == 0 else sizes[::-1]:
            tqdm.write(f"scaling: {size.name}, {size.images:,} images", sys.stderr)
            scaling["steps"].append(_step(arguments, model, size))
            scaling["seconds"] = round(time.time() - started, 1)
            write_record(arguments.results, {"scaling": scaling})
    scaling["raw"] = [_engine(arguments, model, sizes), *_raw_parts(arguments, model)]
    scaling["seconds"] = round(time.time() - started, 1)
    write_record(arguments.results, {"scaling": scaling})
    return scaling


def _find_model(name: str) -> Path:
    for folder in (Path(name), MODELS / name):
        if (folder / "model.json").is_file():
            return folder.absolute()
    known = sorted(file.parent.name for file in MODELS.glob("*/model.json"))
    raise WrongUseError("UNKNOWN_MODEL", f"'{name}'. Known: {', '.join(known)}.")


def _step(arguments: ScalingArguments, model: Path, size: Size) -> dict[str, Any]:
    """Run `features`, then `pca`, each in its own application."""
    outputs = arguments.work / "outputs"
    features, run = outputs / "scaling-features", outputs / "scaling-pca"
    for folder in (features, run):
        shutil.rmtree(folder, ignore_errors=True)
    step: dict[str, Any] = {"name": size.name, "images": size.images}
    source = f"--images {_quoted(size.folder)} --model {_quoted(model)}"
    try:
        request = f"features {source} --output {_quoted(features)}"
        step["features"] = _run_command(arguments, size, request)
        record = json.loads((features / "_run/run.json").read_text("utf-8"))
        step["features"]["predicted"] = record["counts"]["predicted"]
        train = record["splits"].get("train", {"images": arguments.k + 1})
        step["k"] = min(arguments.k, train["images"] - 1)  # n rows have n - 1 components
        request = f"pca --features {_quoted(features)} --k {step['k']} --output {_quoted(run)}"
        step["pca"] = _run_command(arguments, size, request)
    except BenchError as error:
        step["skipped"] = error.message
    for folder in (features, run):
        shutil.rmtree(folder, ignore_errors=True)
    return step


def _run_command(arguments: ScalingArguments, size: Size, request: str) -> dict[str, Any]:
    """Measure one command of the jar, from the start of spark-submit to its answer."""
    name = f"scaling-{request.partition(' ')[0]}-{size.images}"
    with Coprocess(sightline(), arguments.work / f"logs/{name}.log") as process:
        usage, _ = process.ask(request, size.images)
        return process.since_start(usage).to_step() | {
            "jvm_mib": round(process.tree.jvm_mib()),
            "worker_mib": round(process.tree.largest_worker_mib()),
        }


def _engine(arguments: ScalingArguments, model: Path, sizes: Sequence[Size]) -> dict[str, Any]:
    """Measure one more image of `sightline features`, from the smallest and the largest size.

    An unmeasured first job loads the model.
    """
    tqdm.write("scaling: `sightline features`, no Spark", sys.stderr)
    small, large = sizes[0], sizes[-1]
    found: dict[str, Any] = {"name": "`sightline features`, no Spark", "images": large.images}
    try:
        program = find_program("engine", model, large.folder, arguments.work, _BATCH_ROWS)
        with Coprocess(program, arguments.work / "logs/scaling-engine.log") as process:
            used = []
            for size in (small, small, large):
                output = arguments.work / "outputs/scaling-engine"
                shutil.rmtree(output, ignore_errors=True)
                command = ["features", "--images", str(size.folder), "--model", str(model)]
                command += ["--output", str(output)]
                values = {"shape": "engine", "images": size.images, "arguments": command}
                used.append(process.ask(json.dumps(values), size.images)[0])
                shutil.rmtree(output, ignore_errors=True)
        return found | _one_more(used[1], used[2])
    except (BenchError, ValueError) as error:
        return found | {"skipped": str(error)}


def _raw_parts(arguments: ScalingArguments, model: Path) -> list[dict[str, Any]]:
    """Measure decoding and inference in a program without Sightline, with one thread each."""
    tqdm.write("scaling: raw decoding and raw inference", sys.stderr)
    files = sorted(file for file in arguments.images.rglob("*") if file.is_file())
    every = max(len(files) // _PARTS_IMAGES, 1)
    images = 2 * _PARTS_IMAGES
    folder = arguments.work / f"inputs/scaling-parts-{images}"
    sample = ImageSet("", "", 1.0, tuple(files[::every]))
    inputs = prepare_inputs([sample], [images], folder)
    parts = []
    try:
        program = find_program("parts", model, inputs.folder, arguments.work, _BATCH_ROWS)
        with Coprocess(program, arguments.work / "logs/scaling-parts.log") as process:
            for shape, title in _PARTS.items():
                used = []
                for count in (_PARTS_IMAGES, _PARTS_IMAGES, images):
                    output = arguments.work / "outputs/scaling-parts"
                    shutil.rmtree(output, ignore_errors=True)
                    places = {"folder": str(inputs.folder), "output": str(output)}
                    values = {"shape": shape, "images": count, **places}
                    used.append(process.ask(json.dumps(values), count)[0])
                    shutil.rmtree(output, ignore_errors=True)
                parts.append({"name": title, "images": images} | _one_more(used[1], used[2]))
    except (BenchError, ValueError) as error:
        parts.append({"name": "raw parts", "images": images, "skipped": str(error)})
    return parts


def _one_more(small: Usage, large: Usage) -> dict[str, float]:
    cost = marginal(small, large)
    return {"cpu_ms": cost["cpu_ms"], "wall_ms": cost["wall_ms"]}


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
