"""PySpark's own functions that run a model: predict_batch_udf and pandas_udf.

Arguments: MODEL INPUT ROWS. "Documented" loads the model where the documentation does, with the
default threads of the runtime. "Tuned" uses one thread per slot of Spark, the worker keeps the
session, the model gets batches of its best size, and large JPEGs are decoded at a reduced size.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pandas as pd
from plain import BATCH, Job, serve
from pyspark.ml.functions import predict_batch_udf
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import FloatType, IntegerType, StructField, StructType

MODEL = sys.argv[1]
ROWS = int(sys.argv[3])
RESULT = StructType([StructField("class_id", IntegerType()), StructField("score", FloatType())])


def spark() -> SparkSession:
    """Return a session with one slot per core and no web server."""
    cores = len(os.sched_getaffinity(0))
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.log.level": "WARN",
        # The default of 10,000 rows would be 240 MB of photographs in one batch.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "256",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("peers")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@cache
def batch_udf(runtime: str) -> Any:  # noqa: ANN401 - pyspark's own type
    """Return a predict_batch_udf, which loads the model once per worker process."""
    model, rows = MODEL, ROWS

    def make_predict() -> Callable[[Any], dict[str, Any]]:
        import peer_models as peers

        if runtime == "torch":
            recipe, logits = peers.open_torch(model)
        elif runtime == "tuned":
            recipe, logits = peers.open_tuned(model, rows)
        else:
            recipe, logits = peers.open_onnx(model)

        def predict(content: Any) -> dict[str, Any]:  # noqa: ANN401 - (n,) of bytes objects
            ids, scores = recipe.best(logits(list(content)))
            return {"class_id": ids.astype("int32"), "score": scores}

        return predict

    return predict_batch_udf(make_predict, return_type=RESULT, batch_size=BATCH)


@cache
def series_udf(runtime: str) -> Any:  # noqa: ANN401 - pyspark's own type
    """Return a pandas_udf over an iterator of series, which is called once per task."""
    model, best, rows = MODEL, ROWS, BATCH

    def predict(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        import peer_models as peers

        if runtime == "tuned":
            recipe, logits = peers.kept_model(model, best)
        else:
            recipe, logits = peers.open_onnx(model)
        for batch in batches:
            frames = []
            for at in range(0, len(batch), rows):
                ids, scores = recipe.best(logits(batch.iloc[at : at + rows].tolist()))
                frames.append(pd.DataFrame({"class_id": ids.astype("int32"), "score": scores}))
            yield pd.concat(frames)

    predict.__annotations__ = {"batches": Iterator[pd.Series], "return": Iterator[pd.DataFrame]}
    return pandas_udf(predict, returnType=RESULT)  # type: ignore[call-overload]


def shape(make: Callable[[str], Any], runtime: str, source: str) -> Callable[[Job], None]:
    """Return a job that reads, predicts and writes Parquet."""

    def run(job: Job) -> None:
        frame = read(job, source).select("path", make(runtime)("content").alias("result"))
        frame.select("path", "result.*").write.parquet(job["output"])

    return run


def read(job: Job, source: str) -> DataFrame:
    """Read the packed table (``parquet``) or a folder with Spark's binaryFile (``files``)."""
    if source == "parquet":
        return spark().read.parquet(job["packed"]).select("path", "content")
    return spark().read.format("binaryFile").load(job["folder"]).select("path", "content")


if __name__ == "__main__":
    spark()
    serve(
        {
            "pbu-parquet": shape(batch_udf, "tuned", "parquet"),
            "pbu-files": shape(batch_udf, "tuned", "files"),
            "pbu-parquet-documented": shape(batch_udf, "default", "parquet"),
            "pbu-files-documented": shape(batch_udf, "default", "files"),
            "pbu-torch": shape(batch_udf, "torch", "files"),
            "pandas": shape(series_udf, "tuned", "parquet"),
            "pandas-documented": shape(series_udf, "default", "files"),
        }
    )
