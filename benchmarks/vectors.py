"""Times the vector functions of the jar against the same sum in plain SQL.

    .venv/bin/python benchmarks/vectors.py dist/sightline.jar [ROWS [DIMENSION]]

Prints one line for each function: the CPU time of a query for each pair of numbers, with reading
them from Spark's cache, and how many times as long the plain SQL takes.
"""

from __future__ import annotations

import sys
from typing import Any

import psutil
from pyspark.sql import SparkSession

PLAIN = {
    "vector_inner_product(a, b)": "aggregate(zip_with(a, b, (x, y) -> x * y), 0D, (s, x) -> s + x)",
    "vector_l2_distance(a, b)": (
        "sqrt(aggregate(zip_with(a, b, (x, y) -> (x - y) * (x - y)), 0D, (s, x) -> s + x))"
    ),
    "vector_cosine_similarity(a, b)": (
        "aggregate(zip_with(a, b, (x, y) -> x * y), 0D, (s, x) -> s + x) / "
        "sqrt(aggregate(a, 0D, (s, x) -> s + x * x) * aggregate(b, 0D, (s, x) -> s + x * x))"
    ),
}
OURS, THEIRS = 40, 3  # Repeats of a query.


def main(jar: str, rows: int = 10_000, dimension: int = 512) -> None:
    """Print a line for each function."""
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", jar)
        .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.memory", "3g")
        .getOrCreate()
    )
    table = spark.range(rows).selectExpr(
        f"transform(sequence(1, {dimension}), i -> CAST(sin(i + id) AS FLOAT)) AS a",
        f"transform(sequence(1, {dimension}), i -> CAST(cos(i * id) AS FLOAT)) AS b",
    )
    table.cache().count()
    table.createOrReplaceTempView("pairs")

    # CPU time, because another program on the machine does not change it.
    jvm: Any = spark.sparkContext._jvm
    process = psutil.Process(jvm.java.lang.ProcessHandle.current().pid())

    def seconds(expression: str, repeats: int) -> float:
        query = spark.table("pairs").selectExpr(f"sum({expression})")
        for _ in range(repeats):  # Until the JVM has compiled the code of the query.
            query.collect()
        started = process.cpu_times().user
        for _ in range(repeats):
            query.collect()
        used: float = process.cpu_times().user - started
        return used / repeats

    numbers = rows * dimension
    for function, plain in PLAIN.items():
        ours = seconds(function, OURS) / numbers * 1e9
        theirs = seconds(plain, THEIRS) / numbers * 1e9
        print(
            f"{function}: {ours:.1f} ns of CPU time a pair of numbers, plain SQL {theirs:.0f} ns, "
            f"{theirs / ours:.0f} times",
            flush=True,
        )
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
