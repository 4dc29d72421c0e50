"""The tensor feed converts numbers exactly; a row that does not fit gets an error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.feeds.tensor_column import TensorColumn
from sightline.errors import WrongUseError

HALVES = pa.array(np.array([np.inf, -np.inf, np.nan, 2, 1e-3], np.float16))


@pytest.mark.parametrize(
    ("dtype", "given", "fits"),
    [
        ("float32", pa.array([0.1, 1e300, float("nan"), float("inf")]), [True, False, True, True]),
        ("float32", pa.array([Decimal("1.5"), None]), [True, False]),
        ("float64", pa.array([2**60, 1], pa.int64()), [True, True]),
        ("uint8", pa.array([0, 255, 256, -1], pa.int16()), [True, True, False, False]),
        ("int8", pa.array([1.0, 1.5, 127.0, 128.0]), [True, False, True, False]),
        ("int64", pa.array([2.0**63, -(2.0**63), float("nan")]), [False, True, False]),
        ("int32", pa.array([True, False]), [True, True]),
        ("bool", pa.array([0, 1, 2]), [True, True, False]),
        ("bool", pa.array([True, None]), [True, False]),
        ("int16", pa.nulls(2), [False, False]),
        ("int64", pa.array([Decimal(2**60 + 1), Decimal(2**63 - 1)]), [True, True]),
        ("int64", pa.array([Decimal(2**63), Decimal(-(2**63)), None]), [False, True, False]),
        ("int64", pa.array([Decimal("1.50"), Decimal("2.00")]), [False, True]),
        ("int64", pa.array([Decimal("1.5"), Decimal(2)], pa.decimal32(5, 2)), [False, True]),
        ("int8", pa.array([Decimal(127), Decimal(128)], pa.decimal256(76, 20)), [True, False]),
        (
            "bool",
            pa.array([Decimal(1), Decimal(2), Decimal("0.5"), Decimal(999)]),
            [True, False, False, False],
        ),
        ("int32", HALVES, [False, False, False, True, False]),
        ("int64", HALVES, [False, False, False, True, False]),
        ("uint8", HALVES, [False, False, False, True, False]),
        ("float32", HALVES, [True, True, True, True, True]),
    ],
)
def test_numbers_are_converted_if_they_fit_into_the_tensors_dtype(
    dtype: str, given: pa.Array[Any], fits: list[bool]
) -> None:
    column = TensorColumn(given, TensorSpec("x", dtype, ("n",)))

    assert [row not in column.errors for row in range(len(given))] == fits
    for row in np.flatnonzero(fits).tolist():
        assert column[row].dtype == dtype
        wanted = np.array(given[row].as_py(), dtype)
        assert np.array_equal(column[row], wanted, equal_nan=dtype.startswith("float"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pa.array([[300, 1]]), "has the element 300, which int8 cannot hold."),
        (pa.array([[0.0, 1.5]]), "has the element 1.5, which int8 cannot hold."),
        (pa.array([[Decimal("2.5"), Decimal("1.0")]]), "has the element 2.5, which int8 cannot"),
        (pa.array([[1]]), "has 1 element, not 2."),
        (pa.array([[None, None]]), "has an element that is NULL."),
        (pa.array([[]]), "has 0 elements, not 2."),
        (pa.array([[], None]), "has 0 elements, not 2."),
        (pa.array([[None, None]], pa.large_list(pa.null())), "has an element that is NULL."),
    ],
)
def test_the_error_of_a_row_has_the_element_that_does_not_fit(
    given: pa.Array[Any], message: str
) -> None:
    column = TensorColumn(given, TensorSpec("x", "int8", ("n", 2)))
    assert message in column.errors[0].message


def test_untyped_nulls_can_be_nested_less_deeply_than_the_tensor() -> None:
    spec = TensorSpec("x", "float32", ("n", 2, 1))
    for rows in ([[None, None], None, []], [[[None], [None]], [[], []], []]):
        column = TensorColumn(pa.array(rows), spec)
        assert sorted(column.errors) == [0, 1, 2]
    message = r"WRONG_COLUMN_TYPE: .* is double, not lists of numbers, nested 2 deep\."
    with pytest.raises(WrongUseError, match=message):
        TensorColumn(pa.array([1.0]), spec)


def fixed(element: pa.DataType) -> pa.DataType:
    return pa.list_(element, 2)


@pytest.mark.parametrize("list_", [pa.list_, pa.large_list, fixed])
def test_nested_lists_are_checked_in_every_axis(list_: Any) -> None:  # noqa: ANN401
    inner = pa.list_(pa.int32())
    good, bad = [[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5]]
    rows = [good, bad, None, [[1, 2, 3], None], [[1, None, 3], [4, 5, 6]], good, [*good, [7]]]
    rows = [row for row in rows if list_ is not fixed or row is None or len(row) == 2]
    whole = pa.array([None, *rows, good], list_(inner))

    column = TensorColumn(whole[1:-1], TensorSpec("x", "float32", ("n", 2, 3)))

    assert column[0].tolist() == column[5].tolist() == good
    found = [column.errors[row].message.partition(") ")[2] for row in sorted(column.errors)]
    assert found[4:] == ([] if list_ is fixed else ["has 3 elements, not 2."])
    assert found[:4] == [
        "has 2 elements in axis 2, not 3.",
        "is NULL.",
        "has an element that is NULL.",
        "has an element that is NULL.",
    ]
