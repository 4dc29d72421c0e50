import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from sightline.worker import components_worker

VECTORS = np.random.default_rng(4).normal(size=(60, 4)) @ np.diag([3, 2, 1, 0.5]) + 5


def vectors(start: int, stop: int) -> Iterator[pa.RecordBatch]:
    packed = [vector.tobytes() for vector in VECTORS[start:stop]]
    yield pa.RecordBatch.from_pydict({"features": packed})


def test_partitions_are_reduced_to_the_components_of_all_rows() -> None:
    moments = components_worker.moments(json.dumps({"vectors": "features", "features": 4}))
    merged = components_worker.merge("{}")
    halves = (merged(moments(vectors(0, 20))), merged(moments(vectors(20, 60))))
    pieces = (piece for half in halves for piece in half)
    (solution,) = components_worker.solve(json.dumps({"k": 2}))(pieces)
    found = solution.to_pydict()
    scaled = (VECTORS - VECTORS.mean(0)) / VECTORS.std(0, ddof=1)
    _, singular, directions = np.linalg.svd(scaled, full_matrices=False)
    np.testing.assert_allclose(found["mean"], VECTORS.mean(0), rtol=1e-13)
    np.testing.assert_allclose(found["deviation"], VECTORS.std(0, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(found["share"], singular**2 / (singular**2).sum(), rtol=1e-11)
    first = np.frombuffer(found["direction"][0])
    np.testing.assert_allclose(np.abs(first), np.abs(directions[0]), rtol=1e-10)
    assert found["direction"][2:] == [None, None]


def test_an_empty_partition_has_no_rows() -> None:
    moments = components_worker.moments(json.dumps({"vectors": "features", "features": 4}))
    assert list(moments(iter([]))) == []
    assert list(components_worker.merge("{}")(iter([]))) == []
    assert list(components_worker.solve(json.dumps({"k": 1}))(iter([]))) == []
