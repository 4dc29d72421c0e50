"""A user's loader function in the workers: once per process, and the shapes of its results."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sightline
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.functions import call_function, col, create_map, lit

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]
plugin = sightline.Plugin()
OFFSET = 100


def shifted(values: np.ndarray) -> np.ndarray:
    return values + OFFSET


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    """1000 rows x = 0, 1, … in 4 partitions."""
    return spark.range(1000, numPartitions=4).select(col("id").cast("float").alias("x"))


def by_x(numbers: DataFrame, function: Callable[..., Column]) -> dict[float, Any]:
    return {row.x: row.y for row in numbers.withColumn("y", function("x")).collect()}


def test_identity(numbers: DataFrame) -> None:
    def load() -> Callable[..., object]:
        return lambda values: values

    same = plugin.model_udf(load, example_inputs=np.array([1, 2], np.float32), allow_code=True)
    assert by_x(numbers, same) == {x: x for x in range(1000)}


def test_a_loader_of_a_notebook_takes_the_functions_and_constants_that_it_uses(
    numbers: DataFrame,
) -> None:
    def load() -> Callable[..., object]:
        return shifted

    function = plugin.model_udf(load, inputs="float32[n]", outputs="float32[n]", allow_code=True)
    assert by_x(numbers, function) == {x: x + 100 for x in range(1000)}


def test_a_slow_loader_is_slow_once_per_worker_process(numbers: DataFrame, tmp_path: Path) -> None:
    module = tmp_path / "slow_module.py"
    calls = tmp_path / "calls.txt"
    module.write_text(f"""
import os, time

def load():
    time.sleep(1)
    with open({str(calls)!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    return lambda values: values * 2
""")
    load = load_from(module)
    options: dict[str, Any] = {"inputs": "float32[n]", "outputs": "float32[n]", "allow_code": True}
    twice = plugin.model_udf(load, **options)
    assert not calls.exists()  # the signature is given, so the driver does not load the model

    for function in (twice, plugin.model_udf(load, **options), twice):  # 12 tasks
        assert by_x(numbers, function) == {x: 2 * x for x in range(1000)}

    pids = Counter(calls.read_text().split())
    assert str(os.getpid()) not in pids
    assert set(pids.values()) == {1}
    assert 1 <= len(pids) <= 6  # two slots; Spark may start a few more processes


def test_batches_are_no_larger_than_asked(numbers: DataFrame) -> None:
    def load() -> Callable[..., object]:
        import numpy

        return lambda values: numpy.full(len(values), len(values), "int32")

    options: dict[str, Any] = {"inputs": "float32[n]", "outputs": "int32[n]", "allow_code": True}
    sizes = Counter(by_x(numbers, plugin.model_udf(load, batch_rows=7, **options)).values())
    assert max(sizes) == 7
    assert sizes[7] >= 980


def dictionary(values: np.ndarray) -> Mapping[str, np.ndarray]:
    return {"half": values / 2, "pair": np.stack([values, -values], 1)}


def rows(values: np.ndarray) -> list[dict[str, object]]:
    return [{"half": value / 2, "pair": [value, -value]} for value in values]


def pair(values: np.ndarray) -> tuple[np.ndarray, ...]:
    return values / 2, np.stack([values, -values], 1)


def load_dictionary() -> object:
    return dictionary


def load_rows() -> object:
    return rows


def load_pair() -> object:
    return pair


@pytest.mark.parametrize("load", [load_dictionary, load_rows, load_pair])
def test_results_are_a_dictionary_rows_or_a_tuple(
    numbers: DataFrame, load: Callable[[], object]
) -> None:
    outputs = {"half": "float32[n]", "pair": "float32[n,2]"}
    function = plugin.model_udf(load, inputs={"x": "float32[n]"}, outputs=outputs, allow_code=True)
    found = by_x(numbers.where("x IN (3, 8)"), function)
    assert {x: (y.half, y.pair, y.error) for x, y in found.items()} == {
        3: (1.5, [3, -3], None),
        8: (4, [8, -8], None),
    }


def test_the_signature_is_found_by_example_rows(numbers: DataFrame) -> None:
    function = plugin.model_udf(load_dictionary, example_inputs=[1.0, 2.0], allow_code=True)
    assert [(o.name, o.tensor.dtype, o.tensor.shape) for o in function.signature.outputs] == [
        ("half", "float64", ("n",)),
        ("pair", "float64", ("n", 2)),
    ]
    assert numbers.select(function("x").alias("y")).schema["y"].dataType.simpleString() == (
        "struct<half:double,pair:array<double>,error:struct<code:string,stage:string,message:string>>"
    )


def test_an_output_of_another_shape_fails_the_query_by_name(numbers: DataFrame) -> None:
    def load() -> Callable[..., object]:
        return lambda values: values[:, None]

    function = plugin.model_udf(load, inputs="float32[n]", outputs="float32[n]", allow_code=True)
    with pytest.raises(PySparkException, match=r"MODEL_OUTPUT: model load should return 'output'"):
        by_x(numbers, function)


def test_a_loader_that_fails_is_named(numbers: DataFrame) -> None:
    def load() -> object:
        import no_such_module  # type: ignore[import-not-found]

        return no_such_module

    function = plugin.model_udf(load, inputs="float32[n]", outputs="float32[n]", allow_code=True)
    with pytest.raises(PySparkException, match=r"LOADER_FAILED: .*no_such_module"):
        by_x(numbers, function)


def test_code_needs_consent_in_python_and_in_sql(numbers: DataFrame) -> None:
    def load() -> object:
        return abs

    options: dict[str, Any] = {"inputs": "float32[n]", "outputs": "float32[n]"}
    with pytest.raises(sightline.WrongUseError, match=r"CODE_NOT_ALLOWED: .*allow_code=True"):
        plugin.model_udf(load, **options)
    path = plugin.bundle(load, **options)
    backend = create_map(lit("backend"), lit("python"))
    with pytest.raises(PySparkException, match="CODE_NOT_ALLOWED"):
        numbers.select(call_function("ml_predict", lit(str(path)), "x", backend)).collect()
    plugin.model_udf(load, allow_code=True, **options)
    values = call_function("ml_predict", lit(str(path)), -col("x"), backend)["output"]
    assert {row[0] for row in numbers.where("x < 3").select(values).collect()} == {0, 1, 2}


def test_class_scores_give_labels(numbers: DataFrame) -> None:
    def load() -> Callable[..., object]:
        import numpy

        def scores(values: np.ndarray) -> np.ndarray:
            odd = values % 2
            return numpy.stack([1 - odd, odd], 1)

        return scores

    function = plugin.model_udf(
        load,
        inputs="float32[n]",
        outputs="float32[n,2]",
        labels=["even", "odd"],
        allow_code=True,
    )
    found = by_x(numbers.where("x < 4"), function)
    assert {x: y.label for x, y in found.items()} == {0: "even", 1: "odd", 2: "even", 3: "odd"}


def test_a_row_that_does_not_fit_is_null_or_an_error(spark: SparkSession) -> None:
    def load() -> Callable[..., object]:
        return lambda values: values.sum(1)

    table = spark.createDataFrame([([1.0, 2.0],), ([3.0],)], "x array<float>").repartition(2)
    options: dict[str, Any] = {
        "inputs": "float32[n,2]",
        "outputs": {"sum": "float32[n]"},
        "allow_code": True,
    }
    value = plugin.model_udf(load, **options)
    assert {len(r.x): r.y for r in table.withColumn("y", value("x")).collect()} == {2: 3, 1: None}
    struct = plugin.model_udf(load, result="struct", **options)
    found = {len(r.x): r.y for r in table.withColumn("y", struct("x")).collect()}
    assert (found[2].sum, found[2].error) == (3, None)
    assert (found[1].sum, found[1].error.code) == (None, "INVALID_INPUT")


def test_rows_of_any_length_and_two_inputs_by_name(spark: SparkSession) -> None:
    def load() -> Callable[..., object]:
        return lambda ids, weights: {"sum": (ids * weights[:, None]).sum(1)}

    function = plugin.model_udf(
        load,
        inputs={"ids": "int64[n,tokens]", "weight": "float32[n]"},
        outputs={"sum": "float32[n]"},
        allow_code=True,
    )
    table = spark.sql("SELECT sequence(1, id) AS ids, id / 2 AS w FROM range(1, 9, 1, 3)")
    found = {
        len(row.ids): row.y
        for row in table.select("ids", function("ids", weight="w").alias("y")).collect()
    }
    assert found == {count: count * (count + 1) / 2 * count / 2 for count in range(1, 9)}


def test_a_package_travels_with_the_modules_of_it(numbers: DataFrame, tmp_path: Path) -> None:
    package = tmp_path / "loading"
    package.mkdir()
    (package / "__init__.py").write_text("from loading.build import load\n")
    (package / "build.py").write_text(
        "import far_away\n\ndef load():\n    return lambda values: values - far_away.OFFSET\n"
    )
    (tmp_path / "far_away.py").write_text("OFFSET = 7\n")
    load = load_from(package)
    options: dict[str, Any] = {"inputs": "float32[n]", "outputs": "float32[n]", "allow_code": True}
    with pytest.raises(PySparkException, match=r"LOADER_FAILED: .*far_away.*option code"):
        by_x(numbers, plugin.model_udf(load, **options))
    function = plugin.model_udf(load, code=[tmp_path / "far_away.py"], **options)
    assert by_x(numbers, function) == {x: x - 7 for x in range(1000)}
    with pytest.raises(sightline.WrongUseError, match=r"PATH_NOT_FOUND: .*option code"):
        plugin.model_udf(load, code=[tmp_path / "none.py"], **options)


def load_from(file: Path) -> Callable[[], object]:
    """Import a module from a file as a user does who has its folder on sys.path."""
    import importlib
    import sys

    sys.path.insert(0, str(file.parent))
    try:
        load: Callable[[], object] = importlib.import_module(file.stem).load
    finally:
        sys.path.remove(str(file.parent))
    return load
