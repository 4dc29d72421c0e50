import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from sightline.components.projection import Projection


def base64_of(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, "<f8").tobytes()).decode()


SPEC = json.dumps(
    {
        "vectors": "features",
        "dropped": ["features", "error"],
        "components": "components",
        "mean": base64_of(10, 20, 30),
        "scale": base64_of(1, 0.5, 0),
        # Two directions of three features.
        "directions": base64_of(1, 0, 0, 0.6, 0.8, 0),
    }
)


def batch_of(vectors: npt.NDArray[np.floating], kind: pa.DataType) -> pa.RecordBatch:
    path: pa.Field[Any] = pa.field("path", pa.string(), nullable=False)
    features: pa.Field[Any] = pa.field("features", kind)
    error: pa.Field[Any] = pa.field("error", pa.string())
    schema = pa.schema([path, features, error])
    paths = [f"{at}.jpg" for at in range(len(vectors))]
    packed = [vector.tobytes() for vector in vectors]
    columns = {"path": paths, "features": packed, "error": [None] * len(vectors)}
    return pa.RecordBatch.from_pydict(columns, schema)


def components_of(batch: pa.RecordBatch) -> npt.NDArray[np.float32]:
    packed: list[Any] = batch.column("components").to_pylist()
    return np.stack([np.frombuffer(one, np.float32) for one in packed])


def test_rows_keep_their_columns_and_get_components_in_float32() -> None:
    batch = batch_of(np.array([[10, 20, 30], [11, 24, 99]], np.float32), pa.binary())
    (found,) = Projection.from_json(SPEC).map([batch])
    assert found.column("path").to_pylist() == ["0.jpg", "1.jpg"]
    assert components_of(found).tolist() == [[0, 0], [1, np.float32(0.6 + 0.8 * 2)]]
    assert found.schema.names == ["path", "components"]
    assert not found.schema.field("path").nullable


def test_a_large_batch_and_a_slice_of_float64_are_projected_row_for_row() -> None:
    vectors = np.random.default_rng(5).normal(size=(5000, 3))
    batch = batch_of(vectors, pa.large_binary()).slice(100)
    found = list(Projection.from_json(SPEC).map([batch]))
    components = np.concatenate([components_of(one) for one in found])
    assert components.shape == (4900, 2)
    np.testing.assert_allclose(components[:, 0], vectors[100:, 0] - 10, rtol=1e-6)
    names = [path for b in found for path in b.column("path").to_pylist()]
    assert names == [f"{at}.jpg" for at in range(100, 5000)]


def test_a_vector_of_another_length_is_refused() -> None:
    projection = Projection.from_json(SPEC)
    packed = [np.zeros(3, np.float32).tobytes(), np.zeros(4, np.float32).tobytes()]
    batch = batch_of(np.zeros((2, 3), np.float32), pa.binary())
    mixed = batch.set_column(1, "features", pa.array(packed, pa.binary()))
    with pytest.raises(ValueError, match=r"vectors of \[12, 16\] bytes are not of 3 numbers"):
        list(projection.map([mixed]))
    with pytest.raises(ValueError, match=r"vectors of \[16\] bytes are not of 3 numbers"):
        list(projection.map([mixed.slice(1)]))
