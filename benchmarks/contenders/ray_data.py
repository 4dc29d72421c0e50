"""Ray Data, tuned and as in its documentation of batch inference. Arguments: MODEL INPUT ROWS."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

import numpy as np
import ray
from plain import BATCH, Job, Recipe, infer, serve

MODEL = sys.argv[1]
ROWS = int(sys.argv[3])
CORES = len(os.sched_getaffinity(0))
Row = dict[str, Any]


class Classifier:
    """A model as in the documentation: loaded once per actor, called with batches."""

    def __init__(self, model: str) -> None:
        self.recipe = Recipe(model)
        self.session = self.recipe.session(None)

    def __call__(self, batch: Row) -> Row:
        """Predict a batch of pixels."""
        ids, scores = self.recipe.best(infer(self.session, batch["pixels"]))
        return {"path": batch["path"], "class_id": ids, "score": scores}


class WholeClassifier:
    """Decodes and predicts with one thread, so that no pixels are sent between processes."""

    def __init__(self, model: str, rows: int, column: str) -> None:
        self.recipe = Recipe(model)
        self.session = self.recipe.session(1)
        self.rows = rows
        self.column = column

    def __call__(self, batch: Row) -> Row:
        """Predict a batch of encoded images."""
        pixels = [self.recipe.tuned_pixels(content) for content in batch[self.column]]
        ids, scores = self.recipe.best(infer(self.session, pixels, self.rows))
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
        fn_constructor_kwargs={"model": MODEL},
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=1),
    )
    found.write_parquet(job["output"])


def tuned(job: Job) -> None:
    """Pass bytes from Parquet to one actor per core, with one thread each."""
    predict_whole(ray.data.read_parquet(job["packed"], columns=["path", "content"]), "content", job)


def tuned_files(job: Job) -> None:
    """Pass the bytes of files to the same actors."""
    predict_whole(ray.data.read_binary_files(job["folder"], include_paths=True), "bytes", job)


def predict_whole(table: Any, column: str, job: Job) -> None:  # noqa: ANN401 - Ray's own type
    """Predict the encoded images of a column and write Parquet."""
    found = table.map_batches(
        WholeClassifier,
        fn_constructor_kwargs={"model": MODEL, "rows": ROWS, "column": column},
        batch_size=min(BATCH, max(job["images"] // (4 * CORES), 1)),
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
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    serve({"ray": tuned, "ray-files": tuned_files, "ray-documented": documented})
