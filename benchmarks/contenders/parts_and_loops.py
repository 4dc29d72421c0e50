"""The raw parts, which are the limit, and the loops that a person writes: MODEL INPUT."""

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
    """Every image at the model's size."""
    return [RECIPE.pixels(content) for content in CONTENTS]


@cache
def one_thread() -> ort.InferenceSession:
    """A session that takes one core and does not spin."""
    return RECIPE.session(1)


def raw_inference(job: Job) -> None:
    """The model on pixels that lie in memory: one thread, batches of 32."""
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
    """Pillow on bytes that lie in memory, and the resize and crop of the manifest."""
    for at in range(job["images"]):
        RECIPE.pixels(CONTENTS[at % len(CONTENTS)])


@cache
def default_session() -> ort.InferenceSession:
    """A session as a notebook opens it."""
    return RECIPE.session(None)


def loop(job: Job) -> None:
    """A notebook's loop: one image at a time, onnxruntime as it comes."""
    files = files_of(job["folder"])
    ids, scores = [], []
    for file in files:
        pixels = RECIPE.pixels(Path(file).read_bytes())
        best = RECIPE.best(infer(default_session(), pixels[None]))
        ids.append(int(best[0][0]))
        scores.append(float(best[1][0]))
    write(job["output"], files, ids, scores)


def some_files(files: list[str]) -> tuple[list[int], list[float]]:
    """A batch of the tuned loop, in one of its processes."""
    pixels = [RECIPE.pixels(Path(file).read_bytes()) for file in files]
    ids, scores = RECIPE.best(infer(one_thread(), pixels))
    return ids.tolist(), scores.tolist()


@cache
def pool() -> multiprocessing.pool.Pool:
    """A process for each core, kept for all jobs."""
    cores = len(os.sched_getaffinity(0))
    return multiprocessing.get_context("forkserver").Pool(cores)


def loop_tuned(job: Job) -> None:
    """Batches of 32 in a process for each core, one thread each."""
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
