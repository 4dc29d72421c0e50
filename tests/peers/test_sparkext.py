"""The situations of sparkext's test_torch, written afresh: Linear on [1, 1] of every source.

`tests/plugins/test_pytorch.py` has each source with other numbers, and its errors.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sightline
import torch
from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
    pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
]
plugin = sightline.load("pytorch")
ONES = np.ones((2, 2), np.float32)


def linear() -> torch.nn.Module:
    """y = 3 a - 0.5 b + 1, of the row [a, b]; 3.5 of [1, 1]."""
    module = torch.nn.Linear(2, 1)
    module.load_state_dict({"weight": torch.tensor([[3.0, -0.5]]), "bias": torch.tensor([1.0])})
    return module.eval()


def instance(folder: Path) -> Any:  # noqa: ANN401
    return plugin.model_udf(linear(), example_inputs=ONES)


def exported(folder: Path) -> Any:  # noqa: ANN401
    shapes = ({0: torch.export.Dim("n")},)
    program = torch.export.export(linear(), (torch.ones(2, 2),), dynamic_shapes=shapes)
    torch.export.save(program, folder / "linear.pt2")
    return plugin.model_udf(folder / "linear.pt2")


def loader(folder: Path) -> Any:  # noqa: ANN401
    return plugin.model_udf(linear, example_inputs=ONES, allow_code=True)


def torchscript(folder: Path) -> Any:  # noqa: ANN401
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace  # has no types
        trace(linear(), torch.ones(2, 2)).save(str(folder / "linear.pt"))
    return plugin.model_udf(folder / "linear.pt", example_inputs=ONES, allow_code=True)


@pytest.mark.parametrize("source", [instance, exported, loader, torchscript])
def test_linear_on_1_1_gives_the_value_of_torch(
    spark: SparkSession, tmp_path: Path, source: Callable[[Path], Any]
) -> None:
    expected = linear()(torch.ones(1, 2)).item()
    assert expected == 3.5
    table = spark.createDataFrame([([1.0, 1.0],)] * 3, "x array<float>").repartition(2)
    found = table.withColumn("y", source(tmp_path)("x")).collect()
    assert [row.y for row in found] == [[expected]] * 3


def test_linear_on_1_1_in_a_spark_ml_model(spark: SparkSession) -> None:
    stage = plugin.model(linear(), example_inputs=ONES).setInputCols(["x"]).setOutputCols(["y"])
    row = stage.transform(spark.createDataFrame([([1.0, 1.0],)], "x array<double>")).first()
    assert row is not None
    assert (row.y, row.error) == ([3.5], None)


def test_a_slow_loader_is_slow_once(spark: SparkSession, tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    (tmp_path / "slow_sum.py").write_text(f"""
import os

def load():
    with open({str(calls)!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    return lambda x: x.sum(1, keepdim=True)
""")
    sys.path.insert(0, str(tmp_path))
    try:
        load = importlib.import_module("slow_sum").load
    finally:
        sys.path.remove(str(tmp_path))
    function = plugin.model_udf(
        load, inputs="float32[n,2]", outputs="float32[n,1]", allow_code=True
    )
    table = spark.createDataFrame([([1.0, 1.0],)], "x array<float>").coalesce(1)
    for _ in range(6):
        assert [row.y for row in table.select(function("x").alias("y")).collect()] == [[2.0]]
    # Each worker process that Spark used loads the model once, however many jobs it runs.
    loads = Counter(calls.read_text().split())
    assert set(loads.values()) == {1}
    assert len(loads) < 6
