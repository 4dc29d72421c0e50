"""Ray Data, tuned and as in its documentation of batch inference. Arguments: MODEL INPUT."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

import numpy as np
import ray
from plain import BATCH, Job, Recipe, infer, serve

MODEL = sys.argv[1]
CORES = len(os.sched_getaffinity(0))
Row = dict[str, Any]


class Classifier:
    """A model as in the documentation: loaded once per actor, called with batches."""

    def __init__(self, model: str, threads: int | None) -> None:
        self.recipe = Recipe(model)
        self.session = self.recipe.session(threads)

    def __call__(self, batch: Row) -> Row:
        """Predict a batch of pixels."""
        ids, scores = self.recipe.best(infer(self.session, batch["pixels"]))
        return {"path": batch["path"], "class_id": ids, "score": scores}


class WholeClassifier(Classifier):
    """Decodes and predicts, so that no pixels are sent between processes."""

    def __call__(self, batch: Row) -> Row:
        """Predict a batch of encoded images."""
        pixels = [self.recipe.pixels(content) for content in batch["content"]]
        ids, scores = self.recipe.best(infer(self.session, pixels))
        return {"path": batch["path"], "class_id": ids, "score": scores}


def preprocess(recipe: Recipe, row: Row) -> Row:
    """Resize one image of read_images as in the documentation, with Pillow."""
    from PIL import Image

    return {"path": row["path"], "pixels": recipe.fitted(Image.fromarray(row["image"]))}


def documented(job: Job) -> None:
    """Use read_images, map, and map_batches with a class; default threads of onnxruntime."""
    images = ray.data.read_images(job["folder"], mode="RGB", include_paths=True)
    pixels = images.map(partial(preprocess, Recipe(MODEL)))
    found = pixels.map_batches(
        Classifier,
        fn_constructor_kwargs={"model": MODEL, "threads": None},
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=1),
    )
    found.write_parquet(job["output"])


def tuned(job: Job) -> None:
    """Pass bytes from Parquet to one actor per core, with one thread each."""
    table = ray.data.read_parquet(job["packed"], columns=["path", "content"])
    found = table.map_batches(
        WholeClassifier,
        fn_constructor_kwargs={"model": MODEL, "threads": 1},
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=CORES),
        num_cpus=0.5,  # leaves CPUs for reading
    )
    found.write_parquet(job["output"])


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    ray.init(
        num_cpus=CORES,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=512 << 20,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    serve({"ray": tuned, "ray-documented": documented})
