"""An index for nearest neighbours in large tables of vectors: an HNSW graph for each partition."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - PySpark's usual name

from sightline.errors import SightlineError, WrongUseError
from sightline.require_package import require_package
from sightline.vectors.index_part import build_part, search_parts
from sightline.vectors.index_storage import IndexFolder
from sightline.wrong_option import invalid_option

_FORMAT = 1
_FILE = "index.json"
_SAMPLED = 200
_NEIGHBOURS = 10
_ROUNDING = 1e-5
_RESULT = ("neighbour", "similarity", "rank")


@dataclass(frozen=True)
class VectorIndex:
    """An index in a folder.

    Attributes:
        path: The folder, a path or URI that every machine can read.
        parts: Names of the parts; each has a graph and the ids of its vectors.
        rows: Number of vectors.
        dimension: Number of elements of a vector.
        skipped: Rows of the table without a usable vector, which are not in the index.
        recall: Share of the true 10 nearest neighbours that `nearest` finds, measured on a sample
            of the indexed vectors when the index was built.
    """

    path: str
    parts: tuple[str, ...]
    rows: int
    dimension: int
    skipped: int
    recall: float | None = None

    def __str__(self) -> str:
        found = "" if self.recall is None else f", recall@{_NEIGHBOURS} {self.recall:.3f}"
        return (
            f"{self.rows:,} vectors of {self.dimension} in {len(self.parts)} parts{found}, "
            f"{self.skipped:,} rows without a vector: {self.path}"
        )

    def nearest(
        self,
        queries: DataFrame,
        k: int = 10,
        *,
        id: str = "path",
        features: str = "features",
        exact: bool = False,
    ) -> DataFrame:
        """Return the nearest indexed vectors of each query, by cosine similarity.

        Args:
            queries: Frame with the columns `id` and `features` (ARRAY<FLOAT>).
            k: Neighbours of each query, at least 1.
            id: Column that identifies a query.
            features: Column of vectors.
            exact: Whether to compare with every indexed vector instead of using the graphs.

        Returns:
            `id` (STRING), neighbour (STRING), similarity (FLOAT), rank (INT, from 1): `k` rows for
            each query, also for queries of the same id. Queries without a usable vector have no
            rows.

        Raises:
            WrongUseError: INVALID_OPTION if `k` is less than 1, or `id` is the name of another
                column of the result.
            SightlineError: VECTOR_DIMENSION_MISMATCH, in a job.
        """
        if id.lower() in _RESULT:
            own = ", ".join(_RESULT)
            rule = f"The result has its own columns {own}. Rename the column."
            raise invalid_option("id", id, rule)
        found = self._nearest(_vectors(queries, id, features), k, exact=exact)
        return found.drop("query").withColumnRenamed("id", id)

    def _nearest(self, queries: DataFrame, k: int, *, exact: bool = False) -> DataFrame:
        """Return the neighbours of the vectors that `_vectors` returns, and the query's number."""
        if k < 1:
            raise invalid_option("k", k, "It must be at least 1.")
        spark = queries.sparkSession
        parts = spark.createDataFrame([(part,) for part in self.parts], "part STRING")
        # Equal rows have numbers, so that a task that runs again gives a query the same key.
        equal = Window.partitionBy("id", "hash").orderBy("id")
        work = (
            queries.where("features IS NOT NULL")
            .withColumn("hash", F.xxhash64("features"))
            .withColumn("query", F.xxhash64("hash", F.row_number().over(equal)))
            .drop("hash")
            .crossJoin(F.broadcast(parts))
            .repartition(len(self.parts), "part")
            .sortWithinPartitions("part")
        )
        search = partial(
            search_parts, path=self.path, dimension=self.dimension, count=k, exact=exact
        )
        found = work.mapInArrow(search, "id STRING, query LONG, neighbour STRING, similarity FLOAT")
        order = Window.partitionBy("id", "query").orderBy(F.desc("similarity"), "neighbour")
        return found.withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= k)

    def measure_recall(
        self,
        queries: DataFrame,
        k: int = _NEIGHBOURS,
        *,
        sample: int = _SAMPLED,
        id: str = "path",
        features: str = "features",
    ) -> float:
        """Return the share of the true `k` nearest neighbours that `nearest` finds.

        A neighbour that is as similar as the last true one counts as found.

        Args:
            queries: As for `nearest`.
            k: As for `nearest`.
            sample: The most queries that are searched.
            id: As for `nearest`.
            features: As for `nearest`.

        Returns:
            0 to 1.
        """
        some = (
            _vectors(queries, id, features)
            .where("features IS NOT NULL")
            # The sample is computed twice, so only equal rows may tie.
            .orderBy(F.xxhash64("id"), F.xxhash64("features"))
            .limit(sample)
        )
        wanted: dict[tuple[str, int], tuple[float, int]] = {
            (row["id"], row["query"]): (row["least"], row["count"])
            for row in self._nearest(some, k, exact=True)
            .groupBy("id", "query")
            .agg(F.min("similarity").alias("least"), F.count("*").alias("count"))
            .collect()
        }
        found: int = sum(
            row["similarity"] >= wanted[row["id"], row["query"]][0] - _ROUNDING
            for row in self._nearest(some, k).collect()
        )
        return found / max(1, sum(count for _, count in wanted.values()))


def build_index(
    table: DataFrame,
    path: str,
    *,
    id: str = "path",
    features: str = "features",
    parts: int | None = None,
) -> VectorIndex:
    """Build an index of a table's vectors and measure its recall.

    Each task builds the graph of one partition in memory, which needs about 1.3 times the bytes of
    its vectors.

    Args:
        table: Frame with the columns `id` and `features` (ARRAY<FLOAT> of one dimension).
        path: A folder that does not exist or is empty, on storage that every machine can reach.
        id: Column that identifies a row; it is stored as text.
        features: Column of vectors.
        parts: Number of parts; default: the partitions of the table.

    Returns:
        The index. `print` shows its size and its recall.

    Raises:
        WrongUseError: MISSING_PACKAGE, OUTPUT_EXISTS, INVALID_OPTION, or WRONG_ARGUMENTS if the
            table has no usable vector.
        SightlineError: VECTOR_DIMENSION_MISMATCH.
    """
    _require_packages()
    if parts is not None and parts < 1:
        raise invalid_option("parts", parts, "It must be at least 1.")
    folder = IndexFolder.of(path)
    folder.create()
    vectors = _vectors(table, id, features)
    if parts is not None:
        vectors = vectors.repartition(parts)
    built = vectors.mapInArrow(
        partial(build_part, path=path), "part STRING, rows LONG, dimension INT, skipped LONG"
    ).collect()
    filled = [row for row in built if row["rows"]]
    if not filled:
        raise WrongUseError("WRONG_ARGUMENTS", "build_index: the table has no usable vector.")
    dimensions = sorted({row["dimension"] for row in filled})
    if len(dimensions) > 1:
        raise SightlineError(
            "VECTOR_DIMENSION_MISMATCH",
            "Vectors passed to build_index must have the same dimension, but got "
            f"{dimensions[0]} and {dimensions[1]}.",
        )
    index = VectorIndex(
        path,
        tuple(sorted(row["part"] for row in filled)),
        sum(row["rows"] for row in filled),
        dimensions[0],
        sum(row["skipped"] for row in built),
    )
    index = replace(index, recall=index.measure_recall(table, id=id, features=features))
    # The file is written last, so a folder of a failed build is no index.
    properties = {key: value for key, value in asdict(index).items() if key != "path"}
    folder.write(_FILE, json.dumps({"format": _FORMAT, **properties}, indent=2).encode())
    return index


def open_index(path: str) -> VectorIndex:
    """Open an index that `build_index` wrote.

    Raises:
        WrongUseError: PATH_NOT_FOUND if there is no complete index.
    """
    _require_packages()
    content = IndexFolder.of(path).read_if_exists(_FILE)
    properties: dict[str, Any] = {} if content is None else json.loads(content)
    if properties.pop("format", None) != _FORMAT:
        raise WrongUseError(
            "PATH_NOT_FOUND", f"{path} is not a complete vector index: it has no valid {_FILE}."
        )
    parts = tuple(properties.pop("parts"))
    return VectorIndex(path=path, parts=parts, **properties)


def _require_packages() -> None:
    # PySpark's mapInArrow does not work without pandas.
    require_package("usearch", "pandas", install="sightline[vectors]", purpose="a vector index")


def _vectors(table: DataFrame, identity: str, features: str) -> DataFrame:
    """Return the columns id (text) and features, which is NULL where it is no usable vector."""
    vector = F.col(features)
    usable = F.forall(vector, _is_finite) & F.exists(vector, lambda value: value != 0)
    return table.select(
        F.col(identity).cast("string").alias("id"),
        F.when(usable & F.col(identity).isNotNull(), vector.cast("array<float>")).alias("features"),
    )


def _is_finite(value: Column) -> Column:
    return value.isNotNull() & ~F.isnan(value) & (F.abs(value) < float("inf"))
