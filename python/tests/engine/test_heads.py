from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.heads.classes_head import ClassesHead, ProbabilitiesHead
from sightline.engine.heads.tensor_head import TensorHead, VectorHead
from sightline.errors import SightlineError

LABELS = ("crane", "owl", "crane")


def values(column: Any) -> list[Any]:  # noqa: ANN401 - the stubs of nested arrays are wrong
    column.validate(full=True)
    found: list[Any] = column.to_pylist()
    return found


def test_a_label_of_two_classes_is_one_key_with_both_probabilities() -> None:
    class_ids = np.array([[2, 1, 0], [0, 0, 0]], np.int32)
    scores = np.array([[0.5, 0.375, 0.125], [0, 0, 0]], np.float32)
    present = np.array([True, False])
    columns = ProbabilitiesHead(LABELS, "none").columns([class_ids, scores], present)
    assert values(columns[3]) == [[("crane", 0.625), ("owl", 0.375)], None]
    assert values(columns[0]) == ["crane", None]


def test_top_k_of_rows_around_an_error_are_in_the_right_rows() -> None:
    class_ids = np.array([[1, 0], [0, 0], [2, 1]], np.int32)
    scores = np.array([[0.75, 0.25], [0, 0], [0.5, 0.5]], np.float32)
    present = np.array([True, False, True])
    columns = ClassesHead(LABELS, "none", 2).columns([class_ids, scores], present)
    top_k = [row and [entry["class_id"] for entry in row] for row in values(columns[3])]
    assert top_k == [[1, 0], None, [2, 1]]


def test_a_top_k_above_the_number_of_classes_gives_every_class() -> None:
    head = ClassesHead(LABELS, "softmax", 10)
    converted = head.convert(np.zeros((2, 3), np.float32))
    assert [one.shape for one in converted.arrays] == [(2, 3), (2, 3)]


@pytest.mark.parametrize(
    ("dtype", "type_"),
    [("float64", pa.float64()), ("uint8", pa.int16()), ("int64", pa.int64()), ("bool", pa.bool_())],
)
def test_a_tensor_is_a_nested_list_of_its_rank(dtype: str, type_: pa.DataType) -> None:
    rows = np.arange(12).reshape(2, 2, 3).astype(dtype)
    head = TensorHead(TensorSpec("y", dtype, ("n", 2, 3)))
    (field,) = head.fields
    (column,) = head.columns(head.convert(rows).arrays, np.array([True, False]))
    element: Any = column.type
    assert (field.name, field.type) == ("y", column.type)
    assert element.value_type.value_type == type_
    assert values(column) == [rows[0].tolist(), None]


def test_a_tensor_with_one_number_per_row_is_a_plain_column() -> None:
    head = TensorHead(TensorSpec("y", "float32", ("n",)))
    rows = np.array([0.5, np.nan, 2], np.float32)
    (column,) = head.columns(head.convert(rows).arrays, np.array([True, True, False]))
    assert column.type == pa.float32()
    assert [str(one) for one in values(column)] == ["0.5", "nan", "None"]


def test_features_that_are_not_finite_are_an_error_of_their_row() -> None:
    head = VectorHead(TensorSpec("pooled", "float32", ("n", 2)))
    converted = head.convert(np.array([[1, 2], [1, np.inf], [np.nan, 0]], np.float32))
    assert sorted(converted.problems) == [1, 2]
    assert head.fields[0].name == "features"


@pytest.mark.parametrize("axes", [(2**30,), ("k",), (2, "k")])
def test_results_that_do_not_fit_into_a_column_are_an_error(axes: tuple[int | str, ...]) -> None:
    head = TensorHead(TensorSpec("heat", "int8", ("n", *axes)))
    row = np.broadcast_to(np.int8(0), (2**30,) if len(axes) == 1 else (2, 2**29))  # no memory
    rows = np.broadcast_to(row, (3, *row.shape))
    if isinstance(axes[-1], str):
        rows = np.empty(3, object)
        rows[0] = rows[1] = row
    present = np.array([True, True, False])
    message = "RESULT_TOO_LARGE: the output heat has 2,147,483,648 numbers in a record batch of 3"
    with pytest.raises(SightlineError, match=message):
        head.columns([rows], present)


def test_rows_of_different_shapes_are_nested_lists_of_different_lengths() -> None:
    head = TensorHead(TensorSpec("y", "float16", ("n", "height", 2, "width")))
    rows = np.empty(4, object)
    shapes = {0: (2, 2, 3), 2: (0, 2, 3), 3: (1, 2, 1)}
    for at, shape in shapes.items():
        rows[at] = np.arange(np.prod(shape), dtype=np.float16).reshape(shape) / 4
    (column,) = head.columns([rows], np.array([True, False, True, True]))
    assert column.type == head.fields[0].type
    assert values(column) == [rows[0].tolist(), None, [], rows[3].tolist()]
    assert values(column)[0][1][1][2] == 2.75
    (empty,) = head.columns([rows], np.zeros(4, np.bool_))
    assert (values(empty), empty.type) == ([None] * 4, column.type)
