"""The Arrow types of result columns, with the names and nesting of Spark's types."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def _struct(**fields: pa.DataType) -> pa.StructType:
    return pa.struct([pa.field(name, type_) for name, type_ in fields.items()])


def list_of(element: pa.DataType) -> pa.ListType[Any]:
    """Return the type of arrays of `element`."""
    return pa.list_(pa.field("element", element))


RANKED_CLASS = _struct(label=pa.string(), class_id=pa.int32(), score=pa.float32())
TOP_K = list_of(RANKED_CLASS)
ERROR = _struct(code=pa.string(), stage=pa.string(), message=pa.string())
PREDICTION = _struct(label=pa.string(), class_id=pa.int32(), score=pa.float32(), top_k=TOP_K)
FEATURES: pa.Field[Any] = pa.field("features", list_of(pa.float32()))
SCORE_OF_LABEL = pa.map_(pa.string(), pa.float32())
PROBABILITIES = _struct(
    label=pa.string(), class_id=pa.int32(), confidence=pa.float32(), probabilities=SCORE_OF_LABEL
)
