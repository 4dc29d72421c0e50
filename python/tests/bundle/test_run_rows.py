"""`sightline.load(…).run(…)`: models of any inputs on rows in memory."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sightline

from .free_models import run_alone, write_heat, write_same, write_single, write_tokens
from .tensor_model import expected, write_tensor_bundle


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    write_tokens(root / "tokens")
    write_heat(root / "heat")
    write_single(root / "single")
    write_tensor_bundle(root / "numbers")
    return root


def values_of(rows: list[Any], output: str) -> list[Any]:
    assert not [row for row in rows if isinstance(row, sightline.RowError)]
    return [row[output] for row in rows]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_array_a_list_of_arrays_and_lists_give_the_same(models: Path, threads: int) -> None:
    x = np.random.default_rng(1).normal(size=(2500, 4)).astype(np.float32)
    model = sightline.load(models / "numbers", threads=threads)

    rows = model.run({"x": x})

    assert [list(row) for row in rows[:1] if isinstance(row, dict)] == [
        ["doubled", "sums", "pooled"]
    ]
    for name, wanted in expected(x).items():
        found = np.stack(values_of(rows, name))
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert found == pytest.approx(wanted, abs=1e-5)
    for same in (list(x), x.tolist(), tuple(x.astype(np.float64)), x.astype(object), iter_list(x)):
        again = model.run({"x": same}, outputs=["pooled"])
        assert np.array_equal(np.stack(values_of(again, "pooled")), values_of(rows, "pooled"))
        assert [list(row) for row in again[:1] if isinstance(row, dict)] == [["pooled"]]


def iter_list(x: Any) -> Any:  # noqa: ANN401
    """A sequence that is neither a list nor an array."""

    class Rows:
        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, at: int) -> Any:  # noqa: ANN401
            return x[at]

    return Rows()


def test_texts_of_different_lengths_and_their_errors(models: Path) -> None:
    ids: list[Any] = [[1, 2, 3], [4], np.array([5, 6]), [7, 8], None, [49, 50]]
    mask: list[Any] = [[1, 1, 0], [1], np.array([1, 1]), [1, 1, 1], [1], [1, 1]]

    rows = sightline.load(models / "tokens").run({"attention_mask": mask, "input_ids": ids})

    for at in (0, 1, 2):
        row = rows[at]
        assert isinstance(row, dict)
        for name in ("hidden", "mean", "pairs"):
            wanted = run_alone(models / "tokens", name, input_ids=ids[at], attention_mask=mask[at])
            assert row[name].shape == wanted.shape
            assert row[name] == pytest.approx(wanted, abs=1e-5)
    errors = [row for row in rows if isinstance(row, sightline.RowError)]
    assert [error.code for error in errors] == ["INVALID_INPUT", "INVALID_INPUT", "MODEL"]
    assert "input_ids has 2 elements there and the input attention_mask has 3" in errors[0].message


def test_images_of_any_size_and_a_model_of_one_row(models: Path) -> None:
    random = np.random.default_rng(2)
    images = [
        random.normal(size=(3, *size)).astype(np.float32) for size in [(9, 5), (4, 4), (9, 5)]
    ]
    rows = sightline.load(models / "heat").run({"x": images}, outputs=["heat"])
    for image, found in zip(images, values_of(rows, "heat"), strict=True):
        assert found == pytest.approx(run_alone(models / "heat", "heat", x=image), abs=1e-5)
    large = [np.zeros((3, 800, 900), np.float32)] * 5  # 8.6 MB each: two to a record batch
    assert [
        one.shape for one in values_of(sightline.load(models / "heat").run({"x": large}), "heat")
    ] == [(1, 800, 900)] * 5

    numbers = np.arange(12).reshape(4, 3)
    found = values_of(sightline.load(models / "single").run({"x": numbers}), "y")
    assert np.stack(found).tolist() == (2 * numbers + 1).tolist()


@pytest.mark.parametrize("dtype", ["float16", "uint16", "uint64", "int8", "bool"])
def test_outputs_have_the_dtype_of_the_signature(tmp_path: Path, dtype: str) -> None:
    path = write_same(tmp_path / "same", dtype, "k")
    rows = [np.array([1, 0, 1]), np.array([1])]
    found = values_of(sightline.load(path).run({"x": rows}), "y")
    assert [one.dtype for one in found] == [np.dtype(dtype)] * 2
    wanted = [~row.astype(bool) if dtype == "bool" else row for row in rows]
    assert [one.tolist() for one in found] == [one.astype(dtype).tolist() for one in wanted]


def test_numbers_that_do_not_fit_are_errors_or_changed(tmp_path: Path) -> None:
    model = sightline.load(write_same(tmp_path / "same", "uint8", 2))
    given = [[1.0, 255.0], [2.5, 300.0], [-7, float("nan")], [Decimal(3), Decimal(4)]]

    exact = model.run({"x": given[:3]})
    lossy = model.run({"x": given[:3]}, casts="lossy")

    assert [isinstance(row, sightline.RowError) for row in exact] == [False, True, True]
    assert values_of(lossy[:2], "y")[1].tolist() == [2, 255]
    assert isinstance(lossy[2], sightline.RowError)
    assert values_of(model.run({"x": given[3:]}), "y")[0].tolist() == [3, 4]
    wide = sightline.load(write_same(tmp_path / "wide", "uint64", 1))
    assert values_of(wide.run({"x": [[2**64 - 1]]}), "y")[0].tolist() == [2**64 - 1]


def test_a_row_of_another_form_is_an_error_of_that_row(models: Path) -> None:
    model = sightline.load(models / "numbers")
    good = [1.0, 2.0, 3.0, 4.0]
    given: list[Any] = [
        good,
        "text",
        [1, [2], 3, 4],
        7,
        np.ones((2, 4)),
        np.array(good, np.int64),
        ["a", "b", "c", "d"],
        None,
        [True, 2, 3.5, 4],
        [1, 2, 3],
        {"a": 1},
        good,
    ]
    rows = model.run({"x": given}, outputs=["doubled"])
    assert [row["doubled"].ravel().tolist() for row in rows if isinstance(row, dict)] == [
        [2.0, 4.0, 6.0, 8.0]
    ] * 3
    assert [at for at, row in enumerate(rows) if isinstance(row, dict)] == [0, 5, 11]
    start, wanted = "The value for the input x: float32 (n, 4) ", "a list of numbers, nested 1 deep"
    mixed = f"{start}is not {wanted}, or has numbers of several types."
    messages = {
        1: f"{start}is string, not {wanted}.",
        2: mixed,
        3: f"{start}is int64, not {wanted}.",
        6: f"{start}is list<item: string>, not {wanted}.",
        7: f"{start}is NULL.",
        8: mixed,
        9: f"{start}has 3 elements, not 4.",
        10: f"{start}is struct<a: int64>, not {wanted}.",
    }
    errors = {at: row for at, row in enumerate(rows) if isinstance(row, sightline.RowError)}
    assert {error.code for error in errors.values()} == {"INVALID_INPUT"}
    assert errors.keys() == messages.keys() | {4}
    assert {at: errors[at].message for at in messages} == messages
    assert errors[4].message.startswith(f"{start}is ")


def test_rows_of_two_inputs_and_an_error_in_one_of_them(models: Path) -> None:
    ids: list[Any] = [[1, 2], "x", [3], [[4]], [5, 6]]
    mask: list[Any] = [[1, 1], [1], ["y"], [1], np.array([1.0, 1.0])]
    rows = sightline.load(models / "tokens").run({"input_ids": ids, "attention_mask": mask})
    found = {at: row["mean"] for at, row in enumerate(rows) if isinstance(row, dict)}
    assert found.keys() == {0, 4}
    for at, mean in found.items():
        wanted = run_alone(
            models / "tokens", "mean", input_ids=ids[at], attention_mask=np.array(mask[at], int)
        )
        assert mean == pytest.approx(wanted, abs=1e-5)


def test_an_image_is_a_path_or_bytes(
    colour_bundle: Path, encode: Callable[..., bytes], tmp_path: Path
) -> None:
    (tmp_path / "red.png").write_bytes(encode("red"))
    images = [tmp_path / "red.png", encode("lime"), str(tmp_path / "gone.png"), None, b"no image"]

    rows = sightline.load(colour_bundle).run({"images": images})

    assert np.stack(values_of(rows[:2], "logits")) == pytest.approx(
        np.array([[10, 0, 0], [0, 10, 0]], np.float32)
    )
    codes = [row.code for row in rows[2:] if isinstance(row, sightline.RowError)]
    assert codes == ["NOT_FOUND", "EMPTY", "UNSUPPORTED"]
    with pytest.raises(TypeError, match="an image must be a path or bytes, not int"):
        sightline.load(colour_bundle).run({"images": [1]})


def test_no_rows_give_no_rows(models: Path) -> None:
    model = sightline.load(models / "tokens")
    assert model.run({"input_ids": [], "attention_mask": np.empty((0, 3))}) == []


def test_only_predict_and_features_need_an_image(models: Path) -> None:
    model = sightline.load(models / "tokens")
    message = "NO_IMAGE_INPUT: model tokens does not take one image per row; its inputs are input_"
    with pytest.raises(sightline.WrongUseError, match=message):
        model.predict([b""])
    with pytest.raises(sightline.WrongUseError, match=message):
        model.features([])


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ({"y": [[1.0]]}, {}, "UNKNOWN_COLUMN: the inputs of model numbers are x, but the given"),
        ({}, {}, "UNKNOWN_COLUMN: .* but the given ones are none"),
        ({"x": [[1.0] * 4]}, {"outputs": ["z"]}, "UNKNOWN_OUTPUT: 'z'. Known: doubled, sums"),
        ({"x": [[1.0] * 4]}, {"outputs": []}, "UNKNOWN_OUTPUT: name one output or more"),
        ({"x": [[1.0] * 4]}, {"casts": "no"}, "INVALID_OPTION: casts is 'no'; it must be exact or"),
        ({"x": np.ones(4)}, {}, "WRONG_COLUMN_TYPE: the column for the input x: float32"),
        ({"x": np.ones((2, 2, 4))}, {}, r"is large_list<.*, not lists of numbers, nested 1 deep"),
        ({"x": [["a"] * 4]}, {}, "WRONG_COLUMN_TYPE: the column for the input x: float32"),
        ({"x": np.array([["a"] * 4])}, {}, "WRONG_COLUMN_TYPE: the column for the input x: float3"),
        ({"x": np.ones((2, 4), complex)}, {}, "WRONG_COLUMN_TYPE: the rows for the input x: floa"),
    ],
)
def test_wrong_use_is_an_error_with_a_condition(
    models: Path, inputs: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(sightline.WrongUseError, match=message):
        sightline.load(models / "numbers").run(inputs, **options)


def test_inputs_that_are_no_rows_of_one_number_are_python_errors(models: Path) -> None:
    model = sightline.load(models / "tokens")
    with pytest.raises(ValueError, match="but have: input_ids 2, attention_mask 1"):
        model.run({"input_ids": [[1], [2]], "attention_mask": [[1]]})
    for wrong in (7, "text", np.array(3), iter([[1]])):
        with pytest.raises(TypeError, match="input_ids must be a sequence with one element for"):
            model.run({"input_ids": wrong, "attention_mask": [[1]]})  # type: ignore[dict-item]
