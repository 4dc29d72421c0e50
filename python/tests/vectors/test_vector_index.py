from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from sightline.errors import SightlineError, WrongUseError
from sightline.vectors import VectorIndex, build_index, open_index

# PySpark's mapInArrow does not work without pandas.
pytest.importorskip("pandas", reason="pip install 'sightline[vectors]'")
pytest.importorskip("usearch", reason="pip install 'sightline[vectors]'")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # of pyspark and the sockets of its workers
]

Array = np.ndarray


def clustered(rows: int, dimension: int, seed: int) -> Array:
    """Random vectors in 50 clusters, (rows, dimension) float32."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(50, dimension))
    near = centres[random.integers(50, size=rows)]
    return (near + 0.5 * random.normal(size=(rows, dimension))).astype(np.float32)


def frame(spark: SparkSession, vectors: Array, name: str = "v", partitions: int = 4) -> DataFrame:
    rows = [(f"{name}{i}", vector.tolist()) for i, vector in enumerate(vectors)]
    table = spark.createDataFrame(rows, "path STRING, features ARRAY<FLOAT>")
    return table.repartition(partitions)


@pytest.fixture(scope="session")
def vectors() -> Array:
    return clustered(5000, 64, seed=1)


@pytest.fixture(scope="session")
def index(
    spark: SparkSession, vectors: Array, tmp_path_factory: pytest.TempPathFactory
) -> VectorIndex:
    return build_index(frame(spark, vectors), str(tmp_path_factory.mktemp("index")))


def true_neighbours(vectors: Array, queries: Array, k: int) -> tuple[Array, Array]:
    """Ids and cosine similarities of the `k` nearest, by numpy: (queries, k) each."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    similarity = asked @ units.T
    order = np.argsort(-similarity, axis=1)[:, :k]
    return order, np.take_along_axis(similarity, order, axis=1)


def found_neighbours(found: DataFrame) -> dict[str, list[tuple[str, float]]]:
    result: dict[str, list[tuple[str, float]]] = {}
    for row in sorted(found.collect(), key=lambda row: (row["path"], row["rank"])):
        result.setdefault(row["path"], []).append((row["neighbour"], row["similarity"]))
    return result


def test_the_recall_on_clustered_vectors_is_at_least_95_percent(
    spark: SparkSession, vectors: Array, index: VectorIndex
) -> None:
    assert (index.rows, index.dimension, len(index.parts), index.skipped) == (5000, 64, 4, 0)
    queries = clustered(100, 64, seed=2)
    true, similarities = true_neighbours(vectors, queries, k=10)
    found = found_neighbours(index.nearest(frame(spark, queries, "q", partitions=3), 10))
    hits = 0
    for i in range(100):
        assert len(found[f"q{i}"]) == 10
        hits += len({f"v{n}" for n in true[i]} & {neighbour for neighbour, _ in found[f"q{i}"]})
        assert found[f"q{i}"][0][1] == pytest.approx(similarities[i][0], abs=1e-5)
    recall = hits / 1000
    print(f"recall@10 against numpy: {recall}; {index}")  # noqa: T201 - the issue asks for it
    assert recall >= 0.95
    assert index.recall is not None
    assert index.recall >= 0.95
    assert "5,000 vectors of 64 in 4 parts, recall@10 " in str(index)
    assert index.measure_recall(frame(spark, queries, "q"), sample=50) >= 0.95


def test_an_exact_search_finds_what_numpy_finds(
    spark: SparkSession, vectors: Array, index: VectorIndex
) -> None:
    queries = clustered(5, 64, seed=3)
    true, similarities = true_neighbours(vectors, queries, k=3)
    nearest = index.nearest(frame(spark, queries, "q", partitions=2), 3, exact=True)
    assert nearest.dtypes == [
        ("path", "string"),
        ("neighbour", "string"),
        ("similarity", "float"),
        ("rank", "int"),
    ]
    found = found_neighbours(nearest)
    for i in range(5):
        assert [neighbour for neighbour, _ in found[f"q{i}"]] == [f"v{n}" for n in true[i]]
        assert [s for _, s in found[f"q{i}"]] == pytest.approx(similarities[i].tolist(), abs=1e-5)


def test_an_opened_index_is_the_one_that_was_built(
    spark: SparkSession, vectors: Array, index: VectorIndex
) -> None:
    opened = open_index(index.path)
    assert opened == index
    found = opened.nearest(frame(spark, vectors[:2], partitions=1), 1)
    assert sorted(row["neighbour"] for row in found.collect()) == ["v0", "v1"]


def test_queries_of_one_id_have_neighbours_of_their_own(
    spark: SparkSession, vectors: Array, index: VectorIndex
) -> None:
    one, other = vectors[0], vectors[1]
    rows = [("q", one.tolist()), ("q", other.tolist()), ("q", other.tolist())]
    queries = spark.createDataFrame(rows, "path STRING, features ARRAY<FLOAT>").repartition(2)
    found = index.nearest(queries, 3, exact=True).collect()
    assert sorted(row["rank"] for row in found) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    true, _ = true_neighbours(vectors, np.stack([one, other, other]), k=3)
    expected = sorted(("q", f"v{n}", rank + 1) for row in true for rank, n in enumerate(row))
    assert sorted((row["path"], row["neighbour"], row["rank"]) for row in found) == expected
    assert index.measure_recall(queries, 3) == 1


def test_the_recall_does_not_depend_on_the_order_of_equal_ids(
    spark: SparkSession, vectors: Array, index: VectorIndex
) -> None:
    def shuffled(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.take(np.random.default_rng().permutation(batch.num_rows))

    rows = [("q", vector.tolist()) for vector in vectors[:200]]
    table = spark.createDataFrame(rows, "path STRING, features ARRAY<FLOAT>").coalesce(1)
    queries = table.mapInArrow(shuffled, table.schema)
    assert index.measure_recall(queries, 1, sample=5) == 1


def test_rows_without_a_usable_vector_are_counted_and_not_indexed(
    spark: SparkSession, tmp_path: Path
) -> None:
    bad = [None, [1.0, None], [float("nan"), 1.0], [float("inf"), 1.0], [0.0, 0.0], []]
    rows = [(i, vector) for i, vector in enumerate([[1.0, 0.0], [0.0, 2.0], *bad])]
    table = spark.createDataFrame([*rows, (None, [1.0, 1.0])], "n INT, v ARRAY<FLOAT>")
    index = build_index(table, str(tmp_path / "index"), id="n", features="v", parts=2)
    assert (index.rows, index.skipped, index.dimension) == (2, 7, 2)
    found = index.nearest(table, 5, id="n", features="v").orderBy("n", "rank").collect()
    assert [(row["n"], row["neighbour"], row["rank"]) for row in found] == [
        ("0", "0", 1),
        ("0", "1", 2),
        ("1", "1", 1),
        ("1", "0", 2),
    ]
    assert [row["similarity"] for row in found] == pytest.approx([1, 0, 1, 0], abs=1e-6)


def test_vectors_of_different_dimensions_are_an_error(
    spark: SparkSession, index: VectorIndex, tmp_path: Path
) -> None:
    mixed = spark.createDataFrame(
        [("a", [1.0]), ("b", [1.0, 2.0])], "path STRING, features ARRAY<FLOAT>"
    )
    with pytest.raises(SightlineError, match=r"VECTOR_DIMENSION_MISMATCH: .* but got 1 and 2"):
        build_index(mixed.repartitionByRange(2, "path"), str(tmp_path / "parts"))
    with pytest.raises(Exception, match="VECTOR_DIMENSION_MISMATCH"):
        build_index(mixed.coalesce(1), str(tmp_path / "one"))
    with pytest.raises(Exception, match="nearest must have the same dimension, but got 64 and 1"):
        index.nearest(mixed.limit(1)).collect()
    with pytest.raises(WrongUseError, match=r"PATH_NOT_FOUND: .* is not a complete vector index"):
        open_index(str(tmp_path / "parts"))


def test_wrong_use_is_one_sentence(spark: SparkSession, index: VectorIndex, tmp_path: Path) -> None:
    table = frame(spark, np.ones((2, 2), np.float32))
    with pytest.raises(WrongUseError, match=r"OUTPUT_EXISTS: .* is not empty"):
        build_index(table, index.path)
    with pytest.raises(WrongUseError, match="INVALID_OPTION: parts is '0'"):
        build_index(table, str(tmp_path / "a"), parts=0)
    with pytest.raises(WrongUseError, match="INVALID_OPTION: k is '0'"):
        index.nearest(table, 0)
    for name in ("neighbour", "similarity", "Rank"):
        renamed = table.withColumnRenamed("path", name)
        with pytest.raises(WrongUseError, match=f"INVALID_OPTION: id is '{name}'. The result has"):
            index.nearest(renamed, 1, id=name)
    with pytest.raises(WrongUseError, match=r"WRONG_ARGUMENTS: .* has no usable vector"):
        build_index(table.where("path = 'x'"), str(tmp_path / "b"))
    with pytest.raises(WrongUseError, match="PATH_NOT_FOUND"):
        open_index(str(tmp_path / "nowhere"))
    (tmp_path / "index.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(WrongUseError, match="PATH_NOT_FOUND"):
        open_index(str(tmp_path))


def test_a_path_may_be_a_uri(spark: SparkSession, tmp_path: Path) -> None:
    index = build_index(
        frame(spark, clustered(20, 8, seed=5)), (tmp_path / "index").as_uri(), parts=2
    )
    assert index.recall == 1
    assert open_index(index.path) == index
    assert len(list((tmp_path / "index").glob("*.usearch"))) == 2
