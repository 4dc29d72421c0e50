"""Inference on Arrow arrays, for scalar functions of one column."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from sightline.engine import arrow_types
from sightline.engine.binary_column import BinaryColumn
from sightline.engine.counters import Counters
from sightline.engine.infer import infer
from sightline.engine.model import Model
from sightline.engine.request import Outcome, Request
from sightline.engine.result import (
    error_column,
    features_column,
    prediction_fields,
    probabilities_column,
)
from sightline.engine.spec import EngineSpec

ScalarResult = Literal["prediction", "features", "image_inference"]


def run_scalar(
    arrays: Iterable[pa.Array[Any]],
    model: Model,
    spec: EngineSpec,
    result: ScalarResult,
    counters: Counters | None = None,
) -> Iterator[pa.Array[Any]]:
    """Predict the images of arrays.

    Args:
        arrays: Binary (the bytes), or struct<content: binary, error: struct<code, stage,
            message>> if reading them may have failed.
        model: A bundle and its session.
        spec: Sizes and limits.
        result: ``prediction`` gives struct<label, class_id, score, top_k, error>.
            ``image_inference`` gives struct<label, class_id, confidence, probabilities, error>.
            ``features`` gives struct<features, error>; ``spec.output`` must then be ``features``.
        counters: Updated during the run.

    Returns:
        One array per input array, with the same length and order. A null input gives null.
        Otherwise either ``error`` is null or all the other fields are.
    """
    counters = counters or Counters()
    for outcome in infer(map(_request, arrays), model, spec, counters):
        started = time.thread_time()
        array = _struct(outcome, model, result)
        counters.result_cpu_s += time.thread_time() - started
        yield array


def _request(array: pa.Array[Any]) -> Request:
    is_null = array.is_null()
    error: pa.Array[Any] = pa.nulls(len(array), arrow_types.ERROR)
    content = array
    if isinstance(array, pa.StructArray):
        columns = pa.RecordBatch.from_arrays(array.flatten(), [f.name for f in array.type])
        content, error = columns.column("content"), columns.column("error")
    wanted = ~np.asarray(is_null) & np.asarray(error.is_null())
    kept = pa.RecordBatch.from_arrays([is_null, error], ["is_null", "error"])
    return Request(BinaryColumn(content), wanted, kept)


def _struct(outcome: Outcome, model: Model, result: ScalarResult) -> pa.StructArray:
    fields: list[pa.Array[Any]]
    if result == "features":
        fields, type_ = [features_column(outcome)], arrow_types.FEATURES
    else:
        fields, type_ = prediction_fields(outcome, model.labels), arrow_types.SCALAR_PREDICTION
    if result == "image_inference":
        fields[3] = probabilities_column(outcome, model.labels)
        type_ = arrow_types.IMAGE_INFERENCE
    fields.append(error_column(outcome, outcome.kept.column("error")))
    return pa.StructArray.from_arrays(
        fields, fields=list(type_), mask=outcome.kept.column("is_null")
    )
