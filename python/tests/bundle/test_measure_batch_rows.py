"""The batch size of a model is measured when it is added, and `auto` is that size."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.backends.backend import Array
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import Manifest
from sightline.bundle.measure_batch_rows import best_size, measure_batch_rows, row_seconds
from sightline.engine.batch_rows import batch_rows_for

CPU = Device("cpu")


class Steps:
    """A session of known cost: some milliseconds for each row, and more for each batch."""

    def __init__(self, row_ms: Mapping[int, float], batch_ms: float = 0.0) -> None:
        self._row_ms, self._batch_ms = row_ms, batch_ms
        self.sizes: list[int] = []

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        rows = len(feeds["x"])
        self.sizes.append(rows)
        end = time.process_time() + (self._batch_ms + rows * self._row_ms[rows]) / 1000
        while time.process_time() < end:
            pass
        return {"y": feeds["x"]}


def test_the_size_with_the_least_cpu_time_for_a_row_is_found() -> None:
    session = Steps({1: 4, 2: 2, 4: 1, 8: 2, 16: 3, 32: 4})

    costs = row_seconds(session, {"x": np.zeros((3, 5))}, ["y"], (1, 2, 4, 8, 16, 32))

    assert best_size(costs) == 4
    assert [round(1000 * cost) for cost in costs.values()] == [4, 2, 1, 2, 3, 4]


def test_a_slow_model_is_not_measured_with_large_batches() -> None:
    session = Steps(dict.fromkeys((1, 2, 4, 8), 100.0))

    costs = row_seconds(session, {"x": np.zeros((1, 5))}, ["y"], (1, 2, 4, 8))

    assert list(costs) == [1, 2, 4]  # 8 rows would take 0.8 seconds
    assert set(session.sizes) == {1, 2, 4}


def test_of_sizes_with_almost_the_same_cost_the_smallest_is_best() -> None:
    assert best_size({1: 1.5, 2: 1.02, 4: 1.0, 8: 1.01}) == 2
    assert best_size({1: 1.5, 2: 1.03, 4: 1.0, 8: 1.01}) == 4
    assert best_size({1: 1.0, 2: 1.0}) == 1


def test_adding_a_model_records_a_size_for_each_backend(tiny: Bundle) -> None:
    sizes = tiny.manifest.batch_rows

    assert {"onnx", "pytorch"} <= set(sizes)
    assert all(size in (1, 2, 4, 8, 16, 32) for size in sizes.values())
    assert json.loads(tiny.text)["batch_rows"] == dict(sizes)
    assert Manifest.from_json(tiny.text) == tiny.manifest


def test_a_manifest_without_sizes_is_read_and_written(tiny: Bundle) -> None:
    tree = json.loads(tiny.text)
    del tree["batch_rows"]

    manifest = Manifest.from_json(json.dumps(tree).encode())

    assert manifest.batch_rows == {}
    assert "batch_rows" not in json.loads(manifest.to_json())


def test_sizes_are_at_most_the_largest_batch_of_the_model(
    tiny: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    single = replace(tiny, manifest=replace(tiny.manifest, most_rows=1))
    pair = replace(tiny, manifest=replace(tiny.manifest, most_rows=3))

    assert measure_batch_rows(single) == {}
    assert set(measure_batch_rows(pair).values()) <= {1, 2}
    (line,) = (text for text in capsys.readouterr().err.splitlines() if " in onnx " in text)
    assert line.startswith("sightline: batches of ")
    assert "CPU-ms for a row, by batch size: 1: " in line
    assert " 4: " not in line


def test_auto_is_the_measured_size_on_a_cpu_and_else_32(tiny: Bundle) -> None:
    manifest = replace(tiny.manifest, batch_rows={"onnx": 4})

    assert batch_rows_for("auto", manifest, "onnx", CPU) == 4
    assert batch_rows_for("auto", manifest, "pytorch", CPU) == 32
    assert batch_rows_for("auto", manifest, "onnx", Device("cuda", 1)) == 32
    assert batch_rows_for("auto", replace(manifest, batch_rows={}), "onnx", CPU) == 32
    assert batch_rows_for(7, manifest, "onnx", CPU) == 7


def test_describe_shows_the_sizes(tiny: Bundle) -> None:
    from sightline.bundle.describe import describe_bundle

    sized = replace(tiny, manifest=replace(tiny.manifest, batch_rows={"onnx": 4, "pytorch": 8}))

    assert "batch rows     onnx 4, pytorch 8 (measured on a CPU)" in describe_bundle(sized)


def test_measured_rows_of_the_committed_model_are_recorded() -> None:
    bundle = Bundle.load(Path(__file__).parents[3] / "models" / "id_fraud")

    assert {"onnx", "openvino", "pytorch"} == set(bundle.manifest.batch_rows)
