"""Raw decoding, raw inference, and hand-written loops. Arguments: MODEL INPUT."""

from __future__ import annotations

import multiprocessing
import multiprocessing.pool
import os
import sys
from functools import cache
from pathlib import Path

import onnxruntime as ort
from plain import BATCH, Job, Pixels, Recipe, files_of, infer, serve, write

MODEL, INPUT = sys.argv[1:3]
RECIPE = Recipe(MODEL)
CONTENTS = [Path(file).read_bytes() for file in files_of(INPUT)]
NAMES = [Path(file).name for file in files_of(INPUT)]


@cache
def decoded() -> list[Pixels]:
    """Return all images at the model's size."""
    return [RECIPE.pixels(content) for content in CONTENTS]


@cache
def one_thread() -> ort.InferenceSession:
    """Return a session that uses one core and does not spin."""
    return RECIPE.session(1)


def raw_inference(job: Job) -> None:
    """Run the model on pixels in memory, with one thread, in batches of 32."""
    pixels = decoded()
    ids: list[int] = []
    scores: list[float] = []
    for at in range(0, job["images"], BATCH):
        some = [pixels[i % len(pixels)] for i in range(at, min(at + BATCH, job["images"]))]
        best = RECIPE.best(infer(one_thread(), some))
        ids += best[0].tolist()
        scores += best[1].tolist()
    write(job["output"], [NAMES[i % len(NAMES)] for i in range(len(ids))], ids, scores)


def raw_decode(job: Job) -> None:
    """Decode bytes in memory with Pillow, then resize and crop as in the manifest."""
    for at in range(job["images"]):
        RECIPE.pixels(CONTENTS[at % len(CONTENTS)])


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
    """Predict one batch of the tuned loop, in one of its processes."""
    pixels = [RECIPE.pixels(Path(file).read_bytes()) for file in files]
    ids, scores = RECIPE.best(infer(one_thread(), pixels))
    return ids.tolist(), scores.tolist()


@cache
def pool() -> multiprocessing.pool.Pool:
    """Return one process per core; they are kept for all jobs."""
    cores = len(os.sched_getaffinity(0))
    return multiprocessing.get_context("forkserver").Pool(cores)


def loop_tuned(job: Job) -> None:
    """Run batches of 32 in one process per core, with one thread each."""
    files = files_of(job["folder"])
    batches = [files[at : at + BATCH] for at in range(0, len(files), BATCH)]
    found = list(pool().imap(some_files, batches))
    ids = [id_ for batch in found for id_ in batch[0]]
    write(job["output"], files, ids, [score for batch in found for score in batch[1]])


if __name__ == "__main__":
    serve(
        {
            "raw-inference": raw_inference,
            "raw-decode": raw_decode,
            "loop": loop,
            "loop-tuned": loop_tuned,
        }
    )
