"""Print the cost of one more partition: Spark's own, of its Python functions, and of `ml_predict`.

`.venv/bin/python benchmarks/partitions.py [--model models/id_fraud] [--rounds 3] [--without-peers]`

Each query reads the same small images. The cost is the difference of two numbers of partitions, so
the cost of the rows and of the start cancels. The lowest of several rounds counts.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pyspark.sql import DataFrame, SparkSession, functions
from pyspark.sql.functions import expr

from harness.process_tree import ProcessTree

ROOT = Path(__file__).resolve().parent.parent
_ROWS = 600
_WRITTEN = ", a Parquet file each"


@dataclass(frozen=True)
class Usage:
    """Seconds of one query: CPU time of the JVM and of the Python processes, and wall time."""

    jvm: float
    python: float
    wall: float

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.jvm - other.jvm, self.python - other.python, self.wall - other.wall)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=str(ROOT / "models/id_fraud"))
    parser.add_argument("--jar", default=str(ROOT / "dist/sightline.jar"))
    parser.add_argument("--few", type=int, default=100, help="partitions (default 100)")
    parser.add_argument("--many", type=int, default=600, help="partitions (default 600)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--without-peers", action="store_true", help="leave out Spark's functions")
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "images.parquet"
        pq.write_table(_images(), table)
        spark = _session(arguments.jar)
        try:
            queries = _queries(arguments.model)
            if arguments.without_peers:
                queries = {name: query for name, query in queries.items() if "Spark's" not in name}
            _print(_measure(spark, str(table), queries, arguments), arguments)
        finally:
            spark.stop()


def _images() -> pa.Table:
    contents = []
    for at in range(_ROWS):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), (at % 256, 128, 0)).save(file, "JPEG")
        contents.append(file.getvalue())
    return pa.table({"path": [f"{at}.jpg" for at in range(_ROWS)], "content": contents})


def _session(jar: str) -> SparkSession:
    spark: SparkSession = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.jars", jar)
        .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    return spark


def _queries(model: str) -> dict[str, Callable[[DataFrame], DataFrame]]:
    def same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from batches

    @functions.arrow_udf("int")  # type: ignore[attr-defined,untyped-decorator]
    def length(content: pa.Array) -> pa.Array:  # type: ignore[type-arg]  # Spark reads the types
        import pyarrow.compute as pc

        return pc.binary_length(content)  # type: ignore[call-overload,no-any-return]

    predicted = expr(f"ml_predict('{model}', content).label AS label")
    return {
        "Spark, no Python": lambda rows: rows.select(expr("length(content)")),
        "Spark's mapInArrow, identity": lambda rows: rows.mapInArrow(same, rows.schema),
        "Spark's arrow_udf, length": lambda rows: rows.select(length("content")),
        "ml_predict": lambda rows: rows.select(predicted),
        f"Spark, no Python{_WRITTEN}": lambda rows: rows.select(expr("length(content) AS bytes")),
        f"ml_predict{_WRITTEN}": lambda rows: rows.select(predicted),
    }


def _measure(
    spark: SparkSession,
    table: str,
    queries: dict[str, Callable[[DataFrame], DataFrame]],
    arguments: argparse.Namespace,
) -> dict[str, list[Usage]]:
    """Return for each query the lowest usage with few partitions and with many."""
    counts = (arguments.few, arguments.many)
    tree = ProcessTree(_jvm())
    found: dict[str, list[list[Usage]]] = {name: [[], []] for name in queries}
    for at in range(arguments.rounds + 1):
        for name, query in queries.items():
            for which, partitions in enumerate(counts):
                rows = query(spark.read.parquet(table).repartition(partitions))
                before = _usage(tree)
                if name.endswith(_WRITTEN):
                    rows.write.mode("overwrite").parquet(f"{table}.written")
                else:
                    rows.write.format("noop").mode("overwrite").save()
                used = _usage(tree) - before
                print(f"round {at}: {name}, {partitions} partitions: {used}", file=sys.stderr)
                if at > 0:  # the first round warms up the JVM and the workers
                    found[name][which].append(used)
    return {name: [_lowest(few), _lowest(many)] for name, (few, many) in found.items()}


def _lowest(usages: list[Usage]) -> Usage:
    return Usage(
        min(one.jvm for one in usages),
        min(one.python for one in usages),
        min(one.wall for one in usages),
    )


def _usage(tree: ProcessTree) -> Usage:
    seconds = tree.cpu_seconds()
    return Usage(seconds.get("jvm", 0.0), seconds.get("python", 0.0), time.perf_counter())


def _jvm() -> int:
    """Return the process id of this program's JVM, whose descendants are the workers."""
    children = psutil.Process().children(recursive=True)
    pid: int = next(process.pid for process in children if process.name() == "java")
    return pid


def _print(found: dict[str, list[Usage]], arguments: argparse.Namespace) -> None:
    more = arguments.many - arguments.few
    print(f"{_ROWS} images of 32 x 32; one more partition, {arguments.few} to {arguments.many}:")
    print("| query | JVM CPU-ms | Python CPU-ms | CPU-ms | wall ms |\n|---|---|---|---|---|")
    for name, (few, many) in found.items():
        jvm, python, wall = (
            1000 * value / more
            for value in (many.jvm - few.jvm, many.python - few.python, many.wall - few.wall)
        )
        print(f"| {name} | {jvm:.1f} | {python:.1f} | {jvm + python:.1f} | {wall:.1f} |")


if __name__ == "__main__":
    main()
