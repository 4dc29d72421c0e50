"""Times the vector functions of the jar against the same sum in plain SQL.

    .venv/bin/python benchmarks/vectors.py dist/sightline.jar [ROWS [DIMENSION]]

Prints one line for each function: the time of a query in nanoseconds for each pair of numbers,
beyond that of reading the table, and how many times as long the plain SQL takes.
"""

from __future__ import annotations

import statistics
import sys
import time

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
REPEATS = 5


def main(jar: str, rows: int = 20_000, dimension: int = 512) -> None:
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

    def seconds(expression: str) -> float:
        started = time.perf_counter()
        spark.table("pairs").selectExpr(f"sum({expression})").collect()
        return time.perf_counter() - started

    nothing = "size(a) + size(b)"
    for function, plain in PLAIN.items():
        times: dict[str, list[float]] = {function: [], plain: [], nothing: []}
        for _ in range(REPEATS):
            for expression, taken in times.items():
                taken.append(seconds(expression))
        base = min(times[nothing])
        ours, theirs = (min(times[one]) - base for one in (function, plain))
        spread = statistics.median(times[function]) - base
        print(
            f"{function}: {ours / rows / dimension * 1e9:.2f} ns a number (median "
            f"{spread / rows / dimension * 1e9:.2f}), plain SQL "
            f"{theirs / rows / dimension * 1e9:.1f} ns, {theirs / ours:.0f} times"
        )
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
