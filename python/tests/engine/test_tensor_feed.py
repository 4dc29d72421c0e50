"""The tensor feed converts numbers exactly; a row that does not fit gets an error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.bundle.tensor_spec import TensorSpec
from sightline.engine.feeds.tensor_column import FreeTensorColumn, TensorColumn
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


NAN = float("nan")


@pytest.mark.parametrize(
    ("dtype", "given", "wanted"),
    [
        ("uint8", pa.array([300, -1, 7], pa.int64()), [255, 0, 7]),
        ("int8", pa.array([2.9, -2.9, 1e300, -1e300, NAN, 127.9]), [2, -2, 127, -128, None, 127]),
        ("int64", pa.array([2.0**63, -(2.0**64), 0.5]), [2**63 - 1, -(2**63), 0]),
        ("uint64", pa.array([2.0**64, -1.0, 2.0**63]), [2**64 - 1, 0, 2**63]),
        ("uint32", pa.array([2**32, 5], pa.uint64()), [2**32 - 1, 5]),
        ("bool", pa.array([0.5, 1.5, -3.0, 9.0, NAN]), [False, True, False, True, None]),
        ("int32", pa.array([Decimal("2.9"), Decimal("-2.9"), Decimal(10**12)]), [2, -2, 2**31 - 1]),
        ("bool", pa.array([Decimal("0.5"), Decimal(7), Decimal(-7)]), [False, True, False]),
        ("int16", HALVES, [32767, -32768, None, 2, 0]),
        ("float16", pa.array([1e9, -1e9, 0.1]), [65504, -65504, float(np.float16(0.1))]),
        ("float16", pa.array([70_000, 3], pa.int64()), [65504, 3]),
        ("float32", pa.array([1e300, float("-inf")]), [float(np.finfo("f4").max), float("-inf")]),
    ],
)
def test_lossy_numbers_are_cut_and_limited_to_the_range(
    dtype: str, given: pa.Array[Any], wanted: list[Any]
) -> None:
    column = TensorColumn(given, TensorSpec("x", dtype, ("n",)), "lossy")

    assert sorted(column.errors) == [at for at, one in enumerate(wanted) if one is None]
    found = [None if at in column.errors else column[at].item() for at in range(len(given))]
    assert found == wanted


@pytest.mark.parametrize(
    ("dtype", "given", "fits"),
    [
        ("float16", pa.array([65504.0, 65520.0, 0.1, NAN]), [True, False, True, True]),
        ("float16", pa.array([70_000, 3], pa.int64()), [False, True]),
        ("uint16", pa.array([65_535, 65_536, -1]), [True, False, False]),
        ("uint32", pa.array([2.0**32, 2.0**32 - 1, -0.5]), [False, True, False]),
        ("uint64", pa.array([2**64 - 1, 0], pa.uint64()), [True, True]),
        ("uint64", pa.array([-1, 2**63 - 1], pa.int64()), [False, True]),
        (
            "uint64",
            pa.array([Decimal(2**64 - 1), Decimal(2**64), Decimal(-1)]),
            [True, False, False],
        ),
        ("int64", pa.array([2**63, 1], pa.uint64()), [False, True]),
    ],
)
def test_new_dtypes_are_exact(dtype: str, given: pa.Array[Any], fits: list[bool]) -> None:
    column = TensorColumn(given, TensorSpec("x", dtype, ("n",)))

    assert [row not in column.errors for row in range(len(given))] == fits
    for row in np.flatnonzero(fits).tolist():
        assert column[row].dtype == dtype
        assert np.array_equal(column[row], np.array(given[row].as_py(), dtype), equal_nan=True)


@pytest.mark.parametrize("list_", [pa.list_, pa.large_list])
def test_each_row_has_its_own_lengths_in_free_axes(list_: Any) -> None:  # noqa: ANN401
    rows: list[Any] = [
        [[1, 2, 3], [4, 5, 6]],
        [[7]],
        [[1, 2], [3]],
        [[1], [2], []],
        [],
        None,
        [[1, None]],
        [[8, 9]],
    ]
    whole = pa.array([[[0]], *rows, [[0]]], list_(list_(pa.int16())))
    spec = TensorSpec("x", "int32", ("n", "height", "width"))

    column = FreeTensorColumn(whole[1:-1], spec)

    assert {at: (column.row_shape(at), column[at].tolist()) for at in (0, 1, 7)} == {
        0: ((2, 3), rows[0]),
        1: ((1, 1), rows[1]),
        7: ((1, 2), rows[7]),
    }
    assert column[7].dtype == np.int32
    assert column.nbytes == 4 * (6 + 1 + 2)
    found = {at: one.message.partition(") ")[2] for at, one in sorted(column.errors.items())}
    assert found == {
        2: "has lists of 2 and of 1 element in axis 2 (width).",
        3: "has lists of 1 and of 0 elements in axis 2 (width).",
        4: "has 0 elements in axis 1 (height), which must have at least 1.",
        5: "is NULL.",
        6: "has an element that is NULL.",
    }


def test_an_axis_name_means_one_length_in_a_tensor() -> None:
    rows = pa.array([[[1, 2], [3, 4]], [[1, 2, 3], [4, 5, 6]], [[5]]])
    column = FreeTensorColumn(rows, TensorSpec("x", "int64", ("n", "k", "k")))
    assert (column.row_shape(0), column.row_shape(2)) == ((2, 2), (1, 1))
    assert "has lists of 2 and of 3 elements in axis 2 (k)." in column.errors[1].message
    assert list(column.errors) == [1]


def test_a_column_without_good_rows_is_empty() -> None:
    column = FreeTensorColumn(pa.array([None, []]), TensorSpec("x", "float32", ("n", "k")))
    assert (sorted(column.errors), column.nbytes) == ([0, 1], 0)
    empty = FreeTensorColumn(pa.array([], pa.list_(pa.int8())), TensorSpec("x", "int8", ("n", "k")))
    assert (empty.errors, empty.nbytes) == ({}, 0)
