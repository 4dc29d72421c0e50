"""Ray Data as its documentation writes batch inference, and tuned. MODEL INPUT."""

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
    """The documentation's shape of a model: opened once for each actor, given whole batches."""

    def __init__(self, model: str, threads: int | None) -> None:
        self.recipe = Recipe(model)
        self.session = self.recipe.session(threads)

    def __call__(self, batch: Row) -> Row:
        """Batches of pixels."""
        ids, scores = self.recipe.best(infer(self.session, batch["pixels"]))
        return {"path": batch["path"], "class_id": ids, "score": scores}


class WholeClassifier(Classifier):
    """Decodes too, so that no pixels travel between processes."""

    def __call__(self, batch: Row) -> Row:
        """Batches of encoded images."""
        pixels = [self.recipe.pixels(content) for content in batch["content"]]
        ids, scores = self.recipe.best(infer(self.session, pixels))
        return {"path": batch["path"], "class_id": ids, "score": scores}


def preprocess(recipe: Recipe, row: Row) -> Row:
    """What the documentation does to each image of read_images, by Pillow as everywhere here."""
    from PIL import Image

    return {"path": row["path"], "pixels": recipe.fitted(Image.fromarray(row["image"]))}


def documented(job: Job) -> None:
    """read_images, map, map_batches with a class; onnxruntime as it comes."""
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
    """Bytes from Parquet, decoded where the model is: an actor for each core, one thread each."""
    table = ray.data.read_parquet(job["packed"], columns=["path", "content"])
    found = table.map_batches(
        WholeClassifier,
        fn_constructor_kwargs={"model": MODEL, "threads": 1},
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=CORES),
        num_cpus=0.5,  # so that reading has room beside them
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
