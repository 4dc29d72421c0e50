from typing import Any

import numpy as np
import pyarrow as pa

from sightline.engine.request import Outcome
from sightline.engine.result import error_column, result_columns
from sightline.engine.result_type import Probabilities, TopK
from sightline.row_error import RowError


def values(column: Any) -> list[Any]:  # noqa: ANN401 - the stubs of nested arrays are wrong
    found: list[Any] = column.to_pylist()
    return found


def outcome_of(class_ids: list[list[int]], scores: list[list[float]]) -> Outcome:
    rows = len(class_ids)
    kept = pa.RecordBatch.from_pydict({"row": list(range(rows))})
    predicted = np.array([bool(sum(row)) for row in scores])
    return Outcome(kept, np.array(class_ids, np.int32), np.array(scores, np.float32), predicted)


LABELS = pa.array(["crane", "owl", "crane"])


def test_a_label_of_two_classes_is_one_key_with_both_probabilities() -> None:
    outcome = outcome_of([[2, 1, 0], [0, 0, 0]], [[0.5, 0.375, 0.125], [0, 0, 0]])
    column = result_columns(outcome, Probabilities(), LABELS)[-1]
    column.validate(full=True)
    assert values(column) == [[("crane", 0.625), ("owl", 0.375)], None]


def test_top_k_of_rows_around_an_error_stay_with_their_rows() -> None:
    outcome = outcome_of([[1, 0], [0, 0], [2, 1]], [[0.75, 0.25], [0, 0], [0.5, 0.5]])
    column = result_columns(outcome, TopK(2), LABELS)[-1]
    column.validate(full=True)
    top_k = [row and [entry["class_id"] for entry in row] for row in values(column)]
    assert top_k == [[1, 0], None, [2, 1]]


def test_given_errors_come_before_own_ones() -> None:
    outcome = outcome_of([[0], [0]], [[0], [0]])
    outcome.errors[1] = RowError("CORRUPT", "decode", "broken")
    given = pa.array([{"code": "IO", "stage": "read", "message": "gone"}, None])
    codes = [row and row["code"] for row in values(error_column(outcome, given))]
    assert codes == ["IO", "CORRUPT"]
    assert values(error_column(outcome_of([[0]], [[1]]), None)) == [None]
