import base64
import json
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.components.projection import Projection
from sightline.components.vectors import Floats


def base64_of(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, "<f8").tobytes()).decode()


SPEC = json.dumps(
    {
        "vectors": "features",
        "components": "components",
        "mean": base64_of(10, 20, 30),
        "scale": base64_of(1, 0.5, 0),
        # Two directions of three features.
        "directions": base64_of(1, 0, 0, 0.6, 0.8, 0),
    }
)


def batch_of(vectors: Floats, numbers: pa.DataType) -> pa.RecordBatch:
    path: pa.Field[Any] = pa.field("path", pa.string(), nullable=False)
    features: pa.Field[Any] = pa.field("features", pa.list_(numbers))
    schema = pa.schema([path, features])
    paths = [f"{at}.jpg" for at in range(len(vectors))]
    return pa.RecordBatch.from_pydict({"path": paths, "features": vectors.tolist()}, schema)


def test_rows_keep_their_columns_and_get_components_in_float32() -> None:
    batch = batch_of(np.array([[10.0, 20, 30], [11, 24, 99]]), pa.float32())
    (found,) = Projection.from_json(SPEC).map([batch])
    assert found.column("path").to_pylist() == ["0.jpg", "1.jpg"]
    assert found.column("components").to_pylist() == [[0, 0], [1, np.float32(0.6 + 0.8 * 2)]]
    assert found.schema.names == ["path", "components"]
    assert not found.schema.field("path").nullable


def test_a_large_batch_and_a_slice_of_float64_are_projected_row_for_row() -> None:
    vectors = np.random.default_rng(5).normal(size=(5000, 3))
    batch = batch_of(vectors, pa.float64()).slice(100)
    found = list(Projection.from_json(SPEC).map([batch]))
    components = np.concatenate([np.array(b.column("components").to_pylist()) for b in found])
    assert components.shape == (4900, 2)
    np.testing.assert_allclose(components[:, 0], vectors[100:, 0] - 10, rtol=1e-6)
    names = [path for b in found for path in b.column("path").to_pylist()]
    assert names == [f"{at}.jpg" for at in range(100, 5000)]
