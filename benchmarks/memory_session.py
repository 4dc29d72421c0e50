"""Runs `ml_predict` over a Parquet table in a session with Spark's own defaults, for memory.py."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import call_function, lit


def main(jar: str, table: str, model: str, output: str, threads: str) -> None:
    """Write the predictions of one task with `threads` cores."""
    extensions = "sightline.sql.SightlineExtensions"
    spark = (
        SparkSession.builder.master(f"local[{threads}]")
        .config("spark.jars", jar)
        .config("spark.sql.extensions", extensions)
        .config("spark.task.cpus", threads)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.files.maxPartitionBytes", str(2**40))
        .getOrCreate()
    )
    photographs = spark.read.parquet(table)
    label = call_function("ml_predict", lit(model), photographs["content"])["label"]
    photographs.select("path", label).write.parquet(output)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
