"""Linear on [1, 1] in every form that the plugin takes, in a real session."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sightline
import torch
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.functions import col
from sightline.functions import ml_predict

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
    pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
]
plugin = sightline.load("pytorch")
EXAMPLE = np.array([[1], [2]], np.float32)


def linear() -> torch.nn.Module:
    """y = 3 x - 1."""
    module = torch.nn.Linear(1, 1)
    module.load_state_dict({"weight": torch.tensor([[3.0]]), "bias": torch.tensor([-1.0])})
    return module


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    """x = [0], [1], … [9] in 3 partitions."""
    return spark.sql("SELECT array(float(id)) AS x FROM range(0, 10, 1, 3)")


def check(numbers: DataFrame, function: Callable[..., Column]) -> None:
    rows = numbers.withColumn("y", function(col("x"))).collect()
    assert sorted((row.x[0], row.y[0]) for row in rows) == [(x, 3 * x - 1) for x in range(10)]


def test_an_instance(numbers: DataFrame) -> None:
    check(numbers, plugin.model_udf(linear(), example_inputs=EXAMPLE))


def test_an_exported_file(numbers: DataFrame, tmp_path: Path) -> None:
    shapes = ({0: torch.export.Dim("n")},)
    program = torch.export.export(linear(), (torch.ones(2, 1),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "linear.pt2")
    check(numbers, plugin.model_udf(tmp_path / "linear.pt2"))


def test_a_loader_runs_torch_in_the_workers(numbers: DataFrame, tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"

    def load() -> torch.nn.Module:
        import os

        with calls.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return linear()

    with pytest.raises(sightline.WrongUseError, match=r"WRONG_LOADER: .*function around it"):
        plugin.model_udf(load, example_inputs=EXAMPLE)
    function = plugin.model_udf(linear, example_inputs=EXAMPLE, allow_code=True)
    assert function.options["backend"] == "python"
    check(numbers, function)


def test_a_torchscript_file_runs_torch_in_the_workers(numbers: DataFrame, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script: Any = torch.jit.script(linear())  # has no types
        script.save(str(tmp_path / "linear.pt"))
    with pytest.raises(sightline.WrongUseError, match="CODE_NOT_ALLOWED: model 'linear'"):
        plugin.model_udf(tmp_path / "linear.pt", example_inputs=EXAMPLE)
    bundle = plugin.bundle(tmp_path / "linear.pt", example_inputs=EXAMPLE)
    with pytest.raises(PySparkException, match="CODE_NOT_ALLOWED: model 'linear' loads"):
        numbers.select(ml_predict(str(bundle), "x", options={"backend": "python"}))
    check(
        numbers, plugin.model_udf(tmp_path / "linear.pt", example_inputs=EXAMPLE, allow_code=True)
    )


def test_the_column_has_the_name_of_the_model_and_its_columns(numbers: DataFrame) -> None:
    function = plugin.model_udf(linear(), example_inputs=EXAMPLE)
    other = plugin.model_udf(linear(), example_inputs=EXAMPLE, result="struct", name="line")
    found = numbers.select(function("x"), function(col("x")).alias("y"), other(col("x")))
    assert found.columns == ["Linear(x)", "y", "line(x)"]
    output = found.schema["line(x)"].dataType.fieldNames()[0]  # type: ignore[attr-defined]
    values = sorted(row[0] for row in numbers.select(other("x")[output][0]).collect())
    assert values == [3 * x - 1 for x in range(10)]
    by_name = found.select("`Linear(x)`").collect()
    assert sorted(row[0][0] for row in by_name) == values


@pytest.mark.parametrize(("rows", "param"), [(4, 4), ("auto", 0)])
def test_a_stage(numbers: DataFrame, rows: Any, param: int) -> None:  # noqa: ANN401
    stage = plugin.model(linear(), example_inputs=EXAMPLE, batch_rows=rows)
    assert stage.getBatchRows() == param
    stage = stage.setInputCols(["x"]).setOutputCols(["y"])
    found = stage.transform(numbers).collect()
    assert sorted((row.x[0], row.y[0]) for row in found) == [(x, 3 * x - 1) for x in range(10)]
    assert found[0].error is None


def test_a_stage_of_a_loader(numbers: DataFrame) -> None:
    stage = plugin.model(linear, example_inputs=EXAMPLE, allow_code=True)
    stage = stage.setInputCols(["x"]).setOutputCols(["y"])
    found = stage.transform(numbers).collect()
    assert sorted((row.x[0], row.y[0]) for row in found) == [(x, 3 * x - 1) for x in range(10)]


def test_a_state_dict_is_no_model(tmp_path: Path) -> None:
    weights = linear().state_dict()
    torch.save(weights, tmp_path / "weights.pt")
    for source in (weights, tmp_path / "weights.pt"):
        with pytest.raises(sightline.WrongUseError, match=r"WRONG_MODEL_SOURCE: .* a state dict"):
            plugin.model_udf(source, example_inputs=EXAMPLE)


def test_a_loader_of_a_state_dict_is_named_on_the_driver() -> None:
    def load() -> object:
        return linear().state_dict()

    with pytest.raises(sightline.WrongUseError, match="WRONG_MODEL_SOURCE: what the loader ret"):
        plugin.model_udf(load, example_inputs=EXAMPLE, allow_code=True)


def test_a_pickled_module_is_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(linear(), tmp_path / "linear.pt")
    with pytest.raises(sightline.WrongUseError, match=r"WRONG_MODEL_SOURCE: .* is a pickle"):
        plugin.model_udf(tmp_path / "linear.pt")


def test_a_row_of_another_shape_has_an_error_of_its_own(spark: SparkSession) -> None:
    table = spark.createDataFrame([([1.0],), ([1.0, 2.0],)], "x array<float>").repartition(2)
    function = plugin.model_udf(linear(), example_inputs=EXAMPLE, result="struct")
    found = {len(row.x): row.y for row in table.withColumn("y", function("x")).collect()}
    assert (found[1].output, found[1].error) == ([2.0], None)
    assert (found[2].output, found[2].error.code) == (None, "INVALID_INPUT")


def test_two_inputs_by_position_and_by_name(spark: SparkSession) -> None:
    class Difference(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return a - 2 * b

    tensors = {"a": "float32[n,2]", "b": "float32[n,2]"}
    function = plugin.model_udf(Difference(), inputs=tensors)
    table = spark.sql("SELECT array(5F, id) AS p, array(1F, 2F) AS q FROM range(0, 4, 1, 2)")
    expected = {(3, i - 4) for i in range(4)}
    for column in (function("p", "q"), function("p", b="q"), function(b="q", a="p")):
        assert {tuple(row[0]) for row in table.select(column).collect()} == expected
    for named in ({}, {"a": "q"}, {"c": "q"}):
        with pytest.raises(sightline.WrongUseError, match=r"WRONG_ARGUMENTS: .* the inputs a, b"):
            function("p", **named)


def test_a_column_of_text_is_an_error_of_the_query(spark: SparkSession) -> None:
    function = plugin.model_udf(linear(), example_inputs=EXAMPLE)
    with pytest.raises(PySparkException, match="WRONG_COLUMN_TYPE"):
        spark.sql("SELECT 'a' AS x").select(function("x"))
