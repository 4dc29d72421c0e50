"""Raw decoding, raw inference, and hand-written loops. Arguments: MODEL INPUT ROWS."""

from __future__ import annotations

import multiprocessing
import multiprocessing.pool
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import onnxruntime as ort
from plain import BATCH, Job, Pixels, Recipe, files_of, infer, serve, write

MODEL, INPUT = sys.argv[1:3]
ROWS = int(sys.argv[3])
RECIPE = Recipe(MODEL)
CONTENTS = {Path(file).name: Path(file).read_bytes() for file in files_of(INPUT)}
_CANDIDATES = (1, 2, 4, 8, 16, 32)  # those of `models add`
_TRIED_IMAGES = 32
_TRIALS = 3


def names_of(job: Job) -> list[str]:
    """Return the names of the job's images; they are repeated if there are too few."""
    names = [Path(file).name for file in files_of(job["folder"])]
    return [names[at % len(names)] for at in range(job["images"])]


def held(name: str) -> str:
    """Return the name of the same image in INPUT, which has each image once."""
    if name in CONTENTS:
        return name
    prefix, number, suffix = name[:-10], int(name[-10:-4]), name[-4:]
    return f"{prefix}{number % distinct(prefix):06}{suffix}"


@cache
def distinct(prefix: str) -> int:
    """Return the number of images in INPUT of the set with this prefix."""
    return sum(name[:-10] == prefix for name in CONTENTS)


@cache
def decoded() -> dict[str, Pixels]:
    """Return all images at the model's size."""
    return {name: RECIPE.pixels(content) for name, content in CONTENTS.items()}


@cache
def one_thread() -> ort.InferenceSession:
    """Return a session that uses one core and does not spin."""
    return RECIPE.session(1)


def raw_inference(rows: int) -> Callable[[Job], None]:
    """Return a job that runs the model on pixels in memory, with one thread."""

    def run(job: Job) -> None:
        pixels, names = decoded(), names_of(job)
        ids: list[int] = []
        scores: list[float] = []
        for at in range(0, len(names), rows):
            some = [pixels[held(name)] for name in names[at : at + rows]]
            best = RECIPE.best(infer(one_thread(), some))
            ids += best[0].tolist()
            scores += best[1].tolist()
        write(job["output"], names, ids, scores)

    return run


def best_rows(_: Job) -> Job:
    """Measure the model with several batch sizes in turn; return the cheapest and all of them.

    The smallest CPU time of three trials counts.
    """
    pixels = list(decoded().values())
    some = [pixels[at % len(pixels)] for at in range(_TRIED_IMAGES)]
    infer(one_thread(), some, BATCH)
    spent: dict[int, list[float]] = {rows: [] for rows in _CANDIDATES}
    for _trial in range(_TRIALS):
        for rows, trials in spent.items():
            start = time.process_time()
            infer(one_thread(), some, rows)
            trials.append(1000 * (time.process_time() - start) / _TRIED_IMAGES)
    cheapest = min(spent, key=lambda rows: min(spent[rows]))
    return {"rows": cheapest, "cpu_ms": {rows: round(min(spent[rows]), 3) for rows in spent}}


def raw_decode(decode: Callable[[bytes], Pixels]) -> Callable[[Job], None]:
    """Return a job that decodes bytes in memory with Pillow, resizes and crops them."""

    def run(job: Job) -> None:
        for name in names_of(job):
            decode(CONTENTS[held(name)])

    return run


@cache
def default_session() -> ort.InferenceSession:
    """Return a session with the default options."""
    return RECIPE.session(None)


def loop(job: Job) -> None:
    """Run the loop of a notebook: one image at a time, default options of onnxruntime."""
    files = files_of(job["folder"])
    ids, scores = [], []
    for file in files:
        pixels = RECIPE.pixels(Path(file).read_bytes())
        best = RECIPE.best(infer(default_session(), pixels[None]))
        ids.append(int(best[0][0]))
        scores.append(float(best[1][0]))
    write(job["output"], files, ids, scores)


def some_files(files: list[str]) -> tuple[list[int], list[float]]:
    """Predict some files of the tuned loop, in one of its processes."""
    pixels = [RECIPE.tuned_pixels(Path(file).read_bytes()) for file in files]
    ids, scores = RECIPE.best(infer(one_thread(), pixels, ROWS))
    return ids.tolist(), scores.tolist()


@cache
def pool() -> multiprocessing.pool.Pool:
    """Return one process per core; they are kept for all jobs."""
    cores = len(os.sched_getaffinity(0))
    return multiprocessing.get_context("forkserver").Pool(cores)


def loop_tuned(job: Job) -> None:
    """Run some files at a time in one process per core, with one thread each."""
    files = files_of(job["folder"])
    cores = len(os.sched_getaffinity(0))
    step = max(min(BATCH, len(files) // (4 * cores)), 1)
    batches = [files[at : at + step] for at in range(0, len(files), step)]
    found = list(pool().imap(some_files, batches))
    ids = [id_ for batch in found for id_ in batch[0]]
    write(job["output"], files, ids, [score for batch in found for score in batch[1]])


if __name__ == "__main__":
    serve(
        {
            "raw-batch": best_rows,
            "raw-inference": raw_inference(ROWS),
            "raw-inference-32": raw_inference(BATCH),
            "raw-decode": raw_decode(RECIPE.pixels),
            "raw-decode-scaled": raw_decode(RECIPE.tuned_pixels),
            "loop": loop,
            "loop-tuned": loop_tuned,
        }
    )
