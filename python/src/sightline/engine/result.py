"""Converts outcomes to Arrow columns."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.engine import arrow_types
from sightline.engine.request import Outcome
from sightline.engine.result_type import Probabilities, ResultType, TopK, Vector


def result_fields(result: ResultType) -> list[pa.Field[Any]]:
    """Return the names and types of the result's columns."""
    if isinstance(result, Vector):
        return [arrow_types.FEATURES]
    if isinstance(result, Probabilities):
        return list(arrow_types.PROBABILITIES)
    if isinstance(result, TopK):
        return list(arrow_types.PREDICTION)
    raise NotImplementedError


def result_columns(
    outcome: Outcome, result: ResultType, labels: pa.StringArray
) -> list[pa.Array[Any]]:
    """Return the arrays of `result_fields`, each null in rows without a result."""
    if isinstance(result, Vector):
        return [_features_column(outcome)]
    missing = ~outcome.predicted
    best = pa.array(outcome.class_ids[:, 0], pa.int32(), mask=missing)
    score = pa.array(outcome.scores[:, 0], pa.float32(), mask=missing)
    classes = (
        _probabilities_column(outcome, labels)
        if isinstance(result, Probabilities)
        else _top_k_column(outcome, labels)
    )
    return [labels.take(best), best, score, classes]


def _top_k_column(outcome: Outcome, labels: pa.StringArray) -> pa.ListArray[Any]:
    """Return the kept classes, best first, null in rows without a prediction."""
    class_ids = pa.array(outcome.class_ids[outcome.predicted].ravel(), pa.int32())
    scores = pa.array(outcome.scores[outcome.predicted].ravel(), pa.float32())
    ranked = pa.StructArray.from_arrays(  # predicted rows * k
        [labels.take(class_ids), class_ids, scores],
        fields=list(arrow_types.RANKED_CLASS),
    )
    return pa.ListArray.from_arrays(
        _offsets(outcome.predicted, outcome.class_ids.shape[1]),
        ranked,
        type=arrow_types.TOP_K,
        mask=pa.array(~outcome.predicted),
    )


def _features_column(outcome: Outcome) -> pa.ListArray[Any]:
    """Return list<float> of the model's feature length, null in rows without features."""
    values = pa.array(outcome.scores[outcome.predicted].ravel(), pa.float32())
    offsets = _offsets(outcome.predicted, outcome.scores.shape[1])
    return pa.ListArray.from_arrays(
        offsets, values, type=arrow_types.FEATURES.type, mask=pa.array(~outcome.predicted)
    )


def _probabilities_column(outcome: Outcome, labels: pa.StringArray) -> pa.MapArray[Any, Any]:
    """Return map<label, score> of every kept class, in the order of class ids.

    The scores of classes with the same label are added, because each key of a map is unique.
    """
    codes = labels.dictionary_encode()
    names, key_of_class = codes.dictionary, np.asarray(codes.indices)
    predicted = int(outcome.predicted.sum())
    table = np.zeros((predicted, len(names)), np.float32)
    keys = key_of_class[outcome.class_ids[outcome.predicted]]  # (predicted, k)
    np.add.at(table, (np.arange(predicted)[:, None], keys), outcome.scores[outcome.predicted])
    entry_keys = np.tile(np.arange(len(names)), predicted)
    from_arrays: Any = pa.MapArray.from_arrays  # the stubs know only some of its forms
    column: pa.MapArray[Any, Any] = from_arrays(
        _offsets(outcome.predicted, len(names)),
        names.take(pa.array(entry_keys, pa.int32())),
        pa.array(table.ravel(), pa.float32()),
        type=arrow_types.SCORE_OF_LABEL,
        mask=pa.array(~outcome.predicted),
    )
    return column


def error_column(outcome: Outcome, given: pa.Array[Any] | None) -> pa.StructArray:
    """Return struct<code, stage, message>, null in rows without an error.

    Args:
        outcome: Gives the errors of the engine.
        given: Errors from the input, which are kept unchanged; None without such a column.
    """
    if outcome.errors:
        rows: list[dict[str, str] | None] = [None] * outcome.rows
        for row, error in outcome.errors.items():
            rows[row] = {"code": error.code, "stage": error.stage, "message": error.message}
        own = pa.array(rows, arrow_types.ERROR)
    else:
        own = pa.nulls(outcome.rows, arrow_types.ERROR)
    if given is None or given.null_count == len(given):
        return cast(pa.StructArray, own)
    given = given.cast(arrow_types.ERROR)
    return cast(pa.StructArray, pc.coalesce(given, own) if outcome.errors else given)


def _offsets(predicted: npt.NDArray[np.bool_], length: int) -> pa.Int32Array:
    lengths = np.where(predicted, length, 0)
    return pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32())
