"""What features and a PCA cost as a collection grows, by the program, beside the raw limit."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.benchmark import write_record
from harness.catalogue import program, sightline
from harness.coprocess import Coprocess, Program
from harness.figures import Usage, marginal
from harness.inputs import prepare
from harness.machine import describe_commit, describe_machine, describe_versions
from harness.scaling_inputs import Size, make_sizes
from sightline.errors import SightlineError, WrongUseError

_PARTS_IMAGES = 400  # in memory, for the raw parts
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True)
class ScalingArguments:
    """What is measured.

    Args:
        repository: The checkout.
        work: Where links, outputs and logs go.
        output: The record, whose entry ``scaling`` is written.
        images: The collection's folder.
        model: A bundle's folder, or its name in the checkout's models/.
        percentages: Samples of the collection, each above 0, at most 100.
        times: The collection so many times over.
        k: Components of the PCA.
        rounds: How often each size runs.
        price_per_hour: Of this machine, in any currency: an assumption.
    """

    repository: Path
    work: Path
    output: Path
    images: Path
    model: str
    percentages: Sequence[float]
    times: Sequence[int]
    k: int
    rounds: int
    price_per_hour: float


def measure_scaling(arguments: ScalingArguments) -> dict[str, Any]:
    """Measure, write it into the record after each run, and give it.

    Raises:
        WrongUseError: PATH_NOT_FOUND, UNKNOWN_MODEL, NO_JAR.
        SightlineError: BENCH_SETUP if the links cannot be made.
    """
    started = time.time()
    repository = arguments.repository
    model = _model(arguments.model, repository)
    require_jar(repository)
    place = arguments.work / "inputs/scaling"
    sizes = make_sizes(arguments.images, arguments.percentages, arguments.times, place)
    scaling: dict[str, Any] = {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": describe_versions(repository),
        "commit": describe_commit(repository),
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
            write_record(arguments.output, {"format": 1, "scaling": scaling})
    scaling["raw"] = [_engine(arguments, model, sizes), *_parts(arguments, model)]
    scaling["seconds"] = round(time.time() - started, 1)
    write_record(arguments.output, {"format": 1, "scaling": scaling})
    return scaling


def require_jar(repository: Path) -> None:
    """Raises NO_JAR, a WrongUseError, if dist/sightline.jar was not built."""
    if not (repository / "dist/sightline.jar").is_file():
        raise WrongUseError("NO_JAR", "dist/sightline.jar is missing: run `make setup`.")


def price(seconds: float, price_per_hour: float) -> float:
    """Of a machine for so long."""
    return seconds * price_per_hour / _HOUR_SECONDS


def _model(name: str, repository: Path) -> Path:
    for folder in (Path(name), repository / "models" / name):
        if (folder / "model.json").is_file():
            return folder.absolute()
    known = sorted(file.parent.name for file in (repository / "models").glob("*/model.json"))
    raise WrongUseError("UNKNOWN_MODEL", f"'{name}'. Known: {', '.join(known)}.")


def _step(arguments: ScalingArguments, model: Path, size: Size) -> dict[str, Any]:
    """`features`, then `pca`, each in an application of its own, from its start to its answer."""
    outputs = arguments.work / "outputs"
    features, run = outputs / "scaling-features", outputs / "scaling-pca"
    for folder in (features, run):
        shutil.rmtree(folder, ignore_errors=True)
    step: dict[str, Any] = {"name": size.name, "images": size.images}
    where = f"--images {_quoted(size.folder)} --model {_quoted(model)}"
    try:
        line = f"features {where} --output {_quoted(features)}"
        step["features"] = _start(arguments, size, line)
        record = json.loads((features / "_run/run.json").read_text("utf-8"))
        step["features"]["predicted"] = record["counts"]["predicted"]
        train = record["splits"].get("train", {"images": arguments.k + 1})
        step["k"] = min(arguments.k, train["images"] - 1)  # n rows have n - 1 components
        line = f"pca --features {_quoted(features)} --k {step['k']} --output {_quoted(run)}"
        step["pca"] = _start(arguments, size, line)
    except SightlineError as error:
        step["skipped"] = error.message
    for folder in (features, run):
        shutil.rmtree(folder, ignore_errors=True)
    return step


def _start(arguments: ScalingArguments, size: Size, line: str) -> dict[str, Any]:
    name = f"scaling-{line.partition(' ')[0]}-{size.images}"
    log = arguments.work / f"logs/{name}.log"
    with Coprocess(sightline(arguments.repository), log) as process:
        usage, _ = process.ask(line, size.images)
        whole = process.since_start(usage)
        return {
            "wall_s": round(whole.wall_s, 2),
            "cpu_s": round(whole.cpu_s, 2),
            "jvm_mib": round(process.tree.jvm_mib()),
            "worker_mib": round(process.tree.largest_worker_mib()),
        }


def _engine(arguments: ScalingArguments, model: Path, sizes: Sequence[Size]) -> dict[str, Any]:
    """The engine without Spark, over the smallest and the largest size: what one image more costs.

    Both are links of the same kind as Spark's; a first job loads the model and is not counted.
    """
    tqdm.write("scaling: the engine alone", sys.stderr)
    small, large = sizes[0], sizes[-1]
    found: dict[str, Any] = {"name": "`sightline features`, no Spark", "images": large.images}
    engine = _program(arguments, "engine", model, large.folder)
    try:
        with Coprocess(engine, arguments.work / "logs/scaling-engine.log") as process:
            used = []
            for size in (small, small, large):
                output = arguments.work / "outputs/scaling-engine"
                shutil.rmtree(output, ignore_errors=True)
                line = ["features", "--images", size.folder, "--model", model, "--output", output]
                question = {"shape": "engine", "images": size.images}
                asked = json.dumps(question | {"arguments": [str(word) for word in line]})
                used.append(process.ask(asked, size.images)[0])
                shutil.rmtree(output, ignore_errors=True)
        return found | _each(used[1], used[2])
    except (SightlineError, ValueError) as error:
        return found | {"skipped": str(error)}


def _parts(arguments: ScalingArguments, model: Path) -> list[dict[str, Any]]:
    """Decoding and inference by a program that has nothing of Sightline, one thread each."""
    tqdm.write("scaling: the raw parts", sys.stderr)
    files = sorted(file for file in arguments.images.rglob("*") if file.is_file())
    step = max(len(files) // _PARTS_IMAGES, 1)
    images = 2 * _PARTS_IMAGES
    place = arguments.work / f"inputs/scaling-parts-{images}"
    inputs = prepare(files[::step], images, place)
    parts = []
    titles = {"raw-decode": "raw decoding, bytes in memory", "raw-inference": "raw inference"}
    try:
        program_ = _program(arguments, "parts", model, inputs.folder)
        with Coprocess(program_, arguments.work / "logs/scaling-parts.log") as process:
            for shape, title in titles.items():
                used = []
                for count in (_PARTS_IMAGES, _PARTS_IMAGES, images):
                    output = arguments.work / "outputs/scaling-parts"
                    shutil.rmtree(output, ignore_errors=True)
                    question = {"shape": shape, "images": count, "output": str(output)}
                    used.append(process.ask(json.dumps(question), count)[0])
                    shutil.rmtree(output, ignore_errors=True)
                parts.append({"name": title, "images": images} | _each(used[1], used[2]))
    except (SightlineError, ValueError) as error:
        parts.append({"name": "raw parts", "images": images, "skipped": str(error)})
    return parts


def _program(arguments: ScalingArguments, name: str, model: Path, folder: Path) -> Program:
    nowhere = arguments.work / "pandas"  # only pyspark's contenders look there
    return program(name, arguments.repository, model, folder, Path(sys.executable), nowhere)


def _each(small: Usage, large: Usage) -> dict[str, float]:
    one_more = marginal(small, large)
    return {"cpu_ms": one_more["cpu_ms"], "wall_ms": one_more["wall_ms"]}


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
