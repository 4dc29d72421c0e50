"""The situations of Spark's pyspark.ml.tests.test_functions (predict_batch_udf), written afresh.

`tests/plugins/test_loader.py` has identity of one column, batches, caching across jobs, errors of
shapes, and results as dictionaries and rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sightline
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import array, col, struct

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]
plugin = sightline.Plugin()
TWO = {"a": "float64[n]", "b": "float64[n]"}


@pytest.fixture(scope="module")
def table(spark: SparkSession) -> DataFrame:
    """id, a = id / 2, b = -id, t1 = [id, 1, 2, 3], t2 = [b, a, b], in 3 partitions."""
    return spark.range(0, 20, 1, 3).selectExpr(
        "id",
        "id / 2 AS a",
        "double(-id) AS b",
        "array(double(id), 1D, 2D, 3D) AS t1",
        "array(double(-id), id / 2, double(-id)) AS t2",
    )


def both() -> Callable[..., object]:
    return lambda a, b: {"a": a, "b": b}


def test_identity_of_two_columns(table: DataFrame) -> None:
    same = plugin.model_udf(both, inputs=TWO, outputs=TWO, allow_code=True)
    found = table.withColumn("y", same("a", "b")).collect()
    assert len(found) == 20
    for row in found:
        assert (row.y.a, row.y.b, row.y.error) == (row.a, row.b, None)


def test_columns_are_given_as_names_columns_expressions_and_fields(table: DataFrame) -> None:
    same = plugin.model_udf(both, inputs=TWO, outputs=TWO, allow_code=True)
    packed = table.withColumn("pair", struct("a", "b"))
    forms = [
        same(col("a"), col("b")),
        same("pair.a", "pair.b"),
        same(packed["t1"][0] / 2, col("b")),
        same(b="b", a="a"),
    ]
    for form in forms:
        for row in packed.withColumn("y", form).collect():
            assert (row.y.a, row.y.b) == (row.id / 2, -row.id)


def test_one_tensor_of_several_columns(table: DataFrame) -> None:
    def load() -> Callable[..., object]:
        return lambda x: x.sum(1)

    total = plugin.model_udf(load, inputs="float64[n,2]", outputs="float64[n]", allow_code=True)
    for row in table.withColumn("y", total(array("a", "b"))).collect():
        assert row.y == row.a + row.b


def test_two_tensors_and_a_scalar_of_different_shapes(table: DataFrame) -> None:
    def load() -> Callable[..., object]:
        return lambda a, t1, t2: a + t1.sum(1) * t2[:, 0]

    mixed = plugin.model_udf(
        load,
        inputs={"a": "float64[n]", "t1": "float64[n,4]", "t2": "float64[n,3]"},
        outputs="float64[n]",
        allow_code=True,
    )
    for row in table.withColumn("y", mixed("a", "t1", "t2")).collect():
        assert row.y == row.a + sum(row.t1) * row.t2[0]


def test_rows_of_a_matrix(table: DataFrame) -> None:
    def load() -> Callable[..., object]:
        return lambda x: x.transpose(0, 2, 1)

    turn = plugin.model_udf(
        load, inputs="float32[n,2,3]", outputs="float32[n,3,2]", allow_code=True
    )
    for row in table.withColumn("y", turn(array("t2", "t2"))).collect():
        assert np.array(row.y).tolist() == np.array([row.t2, row.t2]).T.tolist()


@pytest.mark.parametrize(
    ("text", "column"), [("float32[n]", "t1"), ("float32[n,4]", "a"), ("float32[n,2,2]", "t1")]
)
def test_another_rank_is_an_error_of_the_query(table: DataFrame, text: str, column: str) -> None:
    def load() -> Callable[..., object]:
        return lambda x: x

    function = plugin.model_udf(load, inputs=text, outputs=text, allow_code=True)
    with pytest.raises(PySparkException, match=f"WRONG_COLUMN_TYPE.*{column}"):
        table.select(function(column))


def test_the_wrong_number_of_columns_is_an_error(table: DataFrame) -> None:
    same = plugin.model_udf(both, inputs=TWO, outputs=TWO, allow_code=True)
    with pytest.raises(sightline.WrongUseError, match="WRONG_ARGUMENTS"):
        table.select(same("a"))
    with pytest.raises(sightline.WrongUseError, match="WRONG_ARGUMENTS"):
        table.select(same("a", "b", "id"))


def fewer() -> Callable[..., object]:
    return lambda x: x[:1]


def wider() -> Callable[..., object]:
    return lambda x: np.stack([x, x], 1)


def wrong_name() -> Callable[..., object]:
    return lambda x: {"z": x}


def fewer_rows() -> Callable[..., object]:
    return lambda x: [{"y": one} for one in x[1:]]


@pytest.mark.parametrize("load", [fewer, wider, wrong_name, fewer_rows])
def test_results_of_another_shape_or_name_fail_the_query(
    table: DataFrame, load: Callable[[], object]
) -> None:
    function = plugin.model_udf(
        load, inputs={"x": "float64[n]"}, outputs={"y": "float64[n]"}, allow_code=True
    )
    with pytest.raises(PySparkException, match="MODEL_OUTPUT"):
        table.coalesce(1).select(function("a")).collect()


def numbers() -> Callable[..., object]:
    return lambda x: {"twice": 2 * x, "pair": np.stack([x, -x], 1), "is_big": x > 3}


def test_a_struct_with_fields_of_arrays_and_of_other_types(table: DataFrame) -> None:
    outputs = {"twice": "float64[n]", "pair": "float32[n,2]", "is_big": "bool[n]"}
    function = plugin.model_udf(
        numbers, inputs={"x": "float64[n]"}, outputs=outputs, allow_code=True
    )
    found = table.select("a", function("a").alias("y")).select("a", "y.*")
    fields = [(one.name, one.dataType.simpleString()) for one in found.schema][:4]
    assert fields == [
        ("a", "double"),
        ("twice", "double"),
        ("pair", "array<float>"),
        ("is_big", "boolean"),
    ]
    for row in found.collect():
        assert (row.twice, row.pair, row.is_big) == (2 * row.a, [row.a, -row.a], row.a > 3)


def test_empty_partitions_and_null_rows(spark: SparkSession) -> None:
    options: dict[str, Any] = {"inputs": TWO, "outputs": TWO, "allow_code": True}
    same = plugin.model_udf(both, **options)
    few = spark.createDataFrame(
        [(1, 1.0, 2.0), (2, None, None), (3, 3.0, None)], "id int, a double, b double"
    ).repartition(7)
    found = {row.id: row.y for row in few.withColumn("y", same("a", "b")).collect()}
    assert (found[1].a, found[1].b, found[1].error) == (1, 2, None)
    assert found[2] is None
    assert (found[3].a, found[3].error.code) == (None, "INVALID_INPUT")
    assert few.where("id > 5").withColumn("y", same("a", "b")).collect() == []
