"""Daft, tuned and as in its documentation of batch inference. Arguments: MODEL INPUT ROWS."""

from __future__ import annotations

import os
import sys
from typing import Any

import daft
from daft import DataType, col
from plain import BATCH, Job, Recipe, infer, serve

MODEL = sys.argv[1]
ROWS = int(sys.argv[3])
CORES = len(os.sched_getaffinity(0))
RESULT = DataType.struct({"class_id": DataType.int32(), "score": DataType.float32()})


def predictions(
    recipe: Recipe,
    session: Any,  # noqa: ANN401 - of onnxruntime
    pixels: list[Any],
    rows: int | None = None,
) -> list[dict[str, Any]]:
    """Return the predictions of a batch as the structs that Daft expects."""
    ids, scores = recipe.best(infer(session, pixels, rows))
    return [{"class_id": i, "score": s} for i, s in zip(ids.tolist(), scores.tolist(), strict=True)]


@daft.cls
class Documented:
    """Daft decodes; the model is loaded once, with the default threads of onnxruntime."""

    def __init__(self, model: str) -> None:
        self.recipe = Recipe(model)
        self.session = self.recipe.session(None)

    @daft.method.batch(return_dtype=RESULT, batch_size=BATCH)  # type: ignore[untyped-decorator]
    def predict(self, images: daft.Series) -> list[dict[str, Any]]:
        """Predict a batch of images that Daft has decoded."""
        from PIL import Image

        pixels = [self.recipe.fitted(Image.fromarray(image)) for image in images.to_pylist()]
        return predictions(self.recipe, self.session, pixels)


@daft.cls(max_concurrency=CORES, use_process=True)
class Tuned:
    """One process per core with one thread each, which decodes with Pillow and runs the model."""

    def __init__(self, model: str, rows: int) -> None:
        self.recipe = Recipe(model)
        self.session = self.recipe.session(1)
        self.rows = rows

    @daft.method.batch(return_dtype=RESULT, batch_size=BATCH)  # type: ignore[untyped-decorator]
    def predict(self, contents: daft.Series) -> list[dict[str, Any]]:
        """Predict a batch of encoded images."""
        pixels = [self.recipe.tuned_pixels(content) for content in contents.to_pylist()]
        return predictions(self.recipe, self.session, pixels, self.rows)


def write(frame: daft.DataFrame, output: str) -> None:
    """Write path, class id and score as Parquet."""
    result = col("result")
    named = frame.select(
        col("path"),
        result.get("class_id").alias("class_id"),
        result.get("score").alias("score"),
    )
    named.write_parquet(output)


def documented(job: Job) -> None:
    """Use from_glob_path, download, decode_image and a class."""
    frame = daft.from_glob_path(job["folder"] + "/*")
    frame = frame.with_column("image", col("path").download().decode_image(mode="RGB"))
    write(frame.with_column("result", Documented(MODEL).predict(col("image"))), job["output"])


def tuned(job: Job) -> None:
    """Pass bytes from Parquet directly to the class."""
    frame = daft.read_parquet(job["packed"] + "/*.parquet").select("path", "content")
    write(frame.with_column("result", Tuned(MODEL, ROWS).predict(col("content"))), job["output"])


def tuned_files(job: Job) -> None:
    """Pass the bytes of files to the same class."""
    frame = daft.from_glob_path(job["folder"] + "/*")
    result = Tuned(MODEL, ROWS).predict(col("path").download())
    write(frame.with_column("result", result), job["output"])


if __name__ == "__main__":
    serve({"daft": tuned, "daft-files": tuned_files, "daft-documented": documented})
