"""Models with free axes, of any dtype, or of a fixed batch: equal to onnxruntime on each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.backends.registry import find_backend
from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle
from sightline.bundle.golden import pack_golden, read_golden
from sightline.bundle.verify import verify_bundle
from sightline.engine.model import Model
from sightline.engine.result_type import ResultType, Tensors, Vector
from sightline.engine.run import run, run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError, WrongUseError

from .free_models import run_alone, write_heat, write_same, write_single, write_tokens
from .test_tensor_model import changed

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tokens(tmp_path_factory.mktemp("models") / "tokens")


@pytest.fixture(scope="module")
def heat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heat(tmp_path_factory.mktemp("models") / "heat")


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_single(tmp_path_factory.mktemp("models") / "single")


def open_model(path: Path, backend: str = "onnx") -> Model:
    bundle = Bundle.load(path)
    return Model(bundle, open_session(bundle, backend, Device("cpu"), 1))


def infer(
    path: Path,
    result: ResultType,
    *columns: pa.Array[Any],
    **spec: Any,  # noqa: ANN401
) -> list[Any]:
    """Run one batch of arguments and return the rows as Python values."""
    (found,) = run_scalar([columns], open_model(path), EngineSettings(**spec), result)
    found.validate(full=True)
    return [row.as_py() for row in found]


class Recording:
    """A session that notes the shapes of the batches that it runs."""

    def __init__(self, model: Model) -> None:
        self.session = model.session
        self.shapes: list[tuple[int, ...]] = []

    def run(self, feeds: Any, wanted: Any) -> Any:  # noqa: ANN401
        self.shapes.append(next(iter(feeds.values())).shape)
        return self.session.run(feeds, wanted)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_they_are_verified_and_described(
    tokens: Path, heat: Path, single: Path, backend: str
) -> None:
    for path in (tokens, heat, single):
        bundle = Bundle.load(path)
        assert {check.outcome for check in verify_bundle(bundle)} == {"ok"}
        inputs, expected = read_golden(bundle)
        session = find_backend(backend).open(bundle, Device("cpu"), 1)
        row = {name: value[:1] for name, value in inputs.items()}
        for name, value in session.run(row, list(expected)).items():
            assert value == pytest.approx(expected[name][:1], abs=1e-5)
    text = describe_bundle(Bundle.load(tokens))
    assert "input_ids: int64 (n, tokens), tensor" in text
    assert "pairs: float32 (n, tokens, tokens), tensor" in text
    assert "largest batch" not in text
    assert "largest batch  1\n" in describe_bundle(Bundle.load(single))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch_rows", [1, 4, 32])
def test_texts_of_all_lengths_keep_their_order(tokens: Path, threads: int, batch_rows: int) -> None:
    random = np.random.default_rng(8)
    ids = [random.integers(0, 50, random.integers(1, 9)).tolist() for _ in range(200)]
    mask = [random.integers(0, 2, len(one)).tolist() for one in ids]
    whole = pa.RecordBatch.from_pydict({"id": list(range(200)), "ids": ids, "mask": mask})
    batches = [whole.slice(0, 1), whole.slice(1, 90), whole.slice(91, 0), whole.slice(91)]
    spec = EngineSettings(batch_rows=batch_rows, threads=threads)

    found = list(
        run(batches, open_model(tokens), spec, Tensors(("mean", "hidden")), ["ids", "mask"], "none")
    )

    assert [batch.num_rows for batch in found] == [1, 90, 0, 109]
    rows = [row for batch in found for row in batch.to_pylist()]
    assert [row["id"] for row in rows] == list(range(200))
    for row, one, of_one in zip(rows, ids, mask, strict=True):
        assert row["error"] is None
        for name in ("hidden", "mean"):
            wanted = run_alone(tokens, name, input_ids=one, attention_mask=of_one)
            assert np.array(row[name]) == pytest.approx(wanted, abs=1e-5)


def test_ten_thousand_rows_of_several_lengths_are_run_in_full_batches(tokens: Path) -> None:
    random = np.random.default_rng(9)
    lengths = random.integers(1, 21, 10_000)
    ids = [np.full(length, at % 50, np.int64) for at, length in enumerate(lengths)]
    table = pa.RecordBatch.from_pydict(
        {"ids": pa.array(ids), "mask": pa.array([np.ones_like(one) for one in ids])}
    )
    batches = [table.slice(at, 2500) for at in range(0, 10_000, 2500)]
    model = open_model(tokens)
    recording = Recording(model)

    found = run(
        batches,
        Model(model.bundle, recording),
        EngineSettings(threads=1),
        Tensors(("mean", "pairs")),
        ["ids", "mask"],
        "",
    )

    rows = [row for batch in found for row in batch.to_pylist()]
    assert len(rows) == 10_000
    embedding = [run_alone(tokens, "mean", input_ids=[i], attention_mask=[1]) for i in range(50)]
    for at, row in enumerate(rows):  # the mean of equal tokens is the token
        assert row["mean"] == pytest.approx(embedding[at % 50], abs=1e-5)
        assert np.array(row["pairs"]).shape == (lengths[at], lengths[at])
    # 10,000 rows in batches of 32 are 313 batches. Each request may leave 20 partial ones.
    assert len(recording.shapes) < 313 + 4 * 20
    assert sum(rows for rows, _ in recording.shapes) == 10_000


@pytest.mark.parametrize("threads", [1, 2])
def test_an_image_to_image_model_of_any_size(heat: Path, threads: int) -> None:
    random = np.random.default_rng(10)
    sizes = [(5, 6), (3, 3), (6, 5), (5, 6), (40, 31), (3, 3), (5, 6)]
    images = [random.normal(size=(3, *size)).astype(np.float32) for size in sizes]
    column = pa.array([one.tolist() for one in images], pa.list_(pa.list_(pa.list_(pa.float32()))))

    rows = infer(heat, Tensors(("heat", "flat")), column, threads=threads)

    for image, size, row in zip(images, sizes, rows, strict=True):
        assert row["error"] is None
        assert np.array(row["heat"]).shape == (1, *size)
        assert np.array(row["heat"]) == pytest.approx(run_alone(heat, "heat", x=image), abs=1e-5)
        assert np.array(row["flat"]) == pytest.approx(run_alone(heat, "flat", x=image), abs=1e-5)


def test_a_model_of_one_row_runs_row_by_row(single: Path) -> None:
    model = open_model(single)
    recording = Recording(model)
    column = pa.array([[float(i), 0.0, -1.0] for i in range(70)])

    (found,) = run_scalar([column], Model(model.bundle, recording), EngineSettings(), Vector())

    assert [row.as_py()["features"] for row in found] == [[2 * i + 1, 1, -1] for i in range(70)]
    assert recording.shapes == [(1, 3)] * 70


def test_rows_that_do_not_fit_are_errors_of_those_rows_only(tokens: Path, heat: Path) -> None:
    ids = [[1, 2], [1, 2, 3], [], [4], None, [5, None], [6]]
    mask = [[1, 1], [1, 1], [], [1], [1], [1, 1], [1]]

    rows = infer(tokens, Vector(), pa.array(ids), pa.array(mask))

    of = "The value for the input input_ids: int64 (n, tokens)"
    assert [row["error"] and row["error"]["message"] for row in rows] == [
        None,
        "The axis tokens must have one length in a row, but the input input_ids has 3 elements "
        "there and the input attention_mask has 2.",
        f"{of} has 0 elements in axis 1 (tokens), which must have at least 1.",
        None,
        f"{of} is NULL.",
        f"{of} has an element that is NULL.",
        None,
    ]
    assert {row["error"]["code"] for row in rows if row["error"]} == {"INVALID_INPUT"}
    for at in (0, 3, 6):
        wanted = run_alone(tokens, "mean", input_ids=ids[at], attention_mask=mask[at])
        assert rows[at]["features"] == pytest.approx(wanted, abs=1e-5)

    square, torn = np.ones((3, 4, 4)).tolist(), np.ones((3, 4, 4)).tolist()
    torn[1][2].pop()
    short = [np.ones((4, 4)).tolist()] * 2
    uneven = [np.ones((4, 4)).tolist()] * 2 + [np.ones((5, 4)).tolist()]
    rows = infer(heat, Tensors(("heat",)), pa.array([square, torn, short, uneven, square]))
    assert [row["error"] and row["error"]["message"].partition(") ")[2] for row in rows] == [
        None,
        "has lists of 4 and of 3 elements in axis 3 (width).",
        "has 2 elements, not 3.",
        "has lists of 4 and of 5 elements in axis 2 (height).",
        None,
    ]
    assert np.array(rows[4]["heat"]) == pytest.approx(run_alone(heat, "heat", x=square), abs=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_on_which_the_model_fails_does_not_fail_its_batch(
    tokens: Path, heat: Path, threads: int
) -> None:
    ids = [[1, 2]] * 40 + [[3, 50]] + [[4, 5]] * 3 + [[-51], [0]]
    mask = [[1] * len(one) for one in ids]

    rows = infer(tokens, Tensors(("hidden",)), pa.array(ids), pa.array(mask), threads=threads)

    assert [at for at, row in enumerate(rows) if row["error"]] == [40, 44]
    error = rows[40]["error"]
    assert (error["code"], error["stage"]) == ("MODEL", "infer")
    assert "The model failed on this row (input_ids (2,), attention_mask (2,)):" in error["message"]
    assert "out of data bounds" in error["message"]
    for at in (0, 39, 41, 43, 45):
        wanted = run_alone(tokens, "hidden", input_ids=ids[at], attention_mask=mask[at])
        assert np.array(rows[at]["hidden"]) == pytest.approx(wanted, abs=1e-5)

    column = pa.array([np.ones((3, *size)).tolist() for size in [(4, 4), (2, 2), (2, 2), (4, 4)]])
    rows = infer(heat, Tensors(("flat",)), column, threads=threads)
    assert [row["error"] and row["error"]["code"] for row in rows] == [None, "MODEL", "MODEL", None]
    assert rows[3]["flat"] == pytest.approx(run_alone(heat, "flat", x=column[3].as_py()), abs=1e-5)


def test_a_backend_that_fails_on_the_golden_batch_too_stops_the_run(tokens: Path) -> None:
    class Failing:
        def run(self, feeds: Any, wanted: Any) -> Any:  # noqa: ANN401
            raise RuntimeError("the device is gone")

    model = Model(Bundle.load(tokens), Failing())
    column = pa.array([[1]])
    with pytest.raises(SightlineError, match=r"MODEL_FAILED: .* the device is gone"):
        list(run_scalar([(column, column)], model, EngineSettings(), Vector()))


def test_an_output_whose_axis_has_another_length_than_the_input_stops_the_run(
    heat: Path,
) -> None:
    class Cropped:
        def run(self, feeds: Any, wanted: Any) -> Any:  # noqa: ANN401
            return {"heat": feeds["x"][:, :1, :, :-1]}

    model = Model(Bundle.load(heat), Cropped())
    column = pa.array([np.ones((3, 4, 5)).tolist()])
    message = r"MODEL_OUTPUT: .*'heat' as float32 of shape \(1, 1, 4, 5\).* \(1, 1, 4, 4\)"
    with pytest.raises(SightlineError, match=message):
        list(run_scalar([column], model, EngineSettings(), Tensors(("heat",))))


@pytest.mark.parametrize("axes", [(3,), ("k",)])
@pytest.mark.parametrize(
    ("dtype", "given", "type_", "wanted"),
    [
        ("float16", [0.1, 2, -3.5], pa.float32(), [float(np.float16(0.1)), 2, -3.5]),
        ("float64", [0.1, 2, 3], pa.float64(), [0.1, 2, 3]),
        ("uint8", [0, 7, 255], pa.int16(), [0, 7, 255]),
        ("uint16", [0, 7, 65_535], pa.int32(), [0, 7, 65_535]),
        ("uint32", [0, 7, 2**32 - 1], pa.int64(), [0, 7, 2**32 - 1]),
        ("uint64", [0, 7, 2**64 - 1], pa.decimal128(20, 0), [0, 7, Decimal(2**64 - 1)]),
        ("int8", [-128, 7, 127], pa.int8(), [-128, 7, 127]),
        ("bool", [True, False, 1], pa.bool_(), [False, True, False]),
    ],
)
def test_every_dtype_goes_in_and_comes_out(
    tmp_path: Path,
    axes: tuple[int | str],
    dtype: str,
    given: list[Any],
    type_: pa.DataType,
    wanted: list[Any],
) -> None:
    path = write_same(tmp_path / "same", dtype, *axes)
    assert {check.outcome for check in verify_bundle(Bundle.load(path))} == {"ok"}
    column: Any = pa.array([[Decimal(one) for one in given], None, [Decimal(0)] * 3])
    if dtype.startswith("float"):
        column = pa.array([given, None, [0.0] * 3], pa.list_(pa.float64()))

    (found,) = run_scalar([column], open_model(path), EngineSettings(), Tensors(("y",)))

    list_type: Any = found.type[0].type
    assert list_type.value_type == type_
    rows = [row.as_py() for row in found]
    assert rows[0] == {"y": wanted, "error": None}
    assert rows[1] is None
    assert rows[2]["y"] == [dtype == "bool"] * 3


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_features_of_other_floats_become_float32(tmp_path: Path, dtype: str) -> None:
    path = write_same(tmp_path / "same", dtype, 2, head="vector")
    column = pa.array([[0.1, 2.0], [6e4, -6e4], [float("nan"), 0.0]])

    rows = infer(path, Vector(), column)

    as_dtype = np.array([0.1, 2.0], dtype).astype(np.float32)
    assert rows[0]["features"] == as_dtype.tolist()
    assert rows[1]["features"] == np.array([6e4, -6e4], dtype).astype(np.float32).tolist()
    assert rows[2]["error"]["message"] == "The model gave a feature that is NaN or infinite."


def test_a_vector_output_is_chosen_by_name(tokens: Path) -> None:
    ids, mask = pa.array([[1, 2]]), pa.array([[1, 1]])
    assert infer(tokens, Vector("mean"), ids, mask) == infer(tokens, Vector(), ids, mask)
    message = "UNKNOWN_OUTPUT: 'hidden' is no output of features of model tokens. Known: mean."
    with pytest.raises(WrongUseError, match=message):
        infer(tokens, Vector("hidden"), ids, mask)


def test_lossy_numbers_are_changed_only_if_asked_for(tokens: Path) -> None:
    ids, mask = pa.array([[1.0, 2.75], [3.0, float("nan")], [0.5, 1.0]]), pa.array([[1, 1]] * 3)

    exact = infer(tokens, Vector(), ids, mask)
    lossy = infer(tokens, Vector(), ids, mask, casts="lossy")

    assert [row["error"] is None for row in exact] == [False, False, False]
    assert "has the element 2.75, which int64 cannot hold" in exact[0]["error"]["message"]
    assert [row["error"] is None for row in lossy] == [True, False, True]
    for row, integers in ((lossy[0], [1, 2]), (lossy[2], [0, 1])):
        wanted = run_alone(tokens, "mean", input_ids=integers, attention_mask=[1, 1])
        assert row["features"] == pytest.approx(wanted, abs=1e-5)
    with pytest.raises(WrongUseError, match="INVALID_OPTION: casts is 'loose'; it must be exact"):
        EngineSettings(casts="loose")  # type: ignore[arg-type]


def test_golden_values_of_another_shape_are_refused(heat: Path, tmp_path: Path) -> None:
    _, outputs = read_golden(Bundle.load(heat))
    x = np.zeros((2, 3, 7, 6), np.float32)
    bundle = changed(heat, tmp_path / "copy", golden=pack_golden({"x": x}, outputs))
    message = r"holds heat as float32 \(2, 1, 5, 6\), not float32 \(2, 1, 7, 6\)"
    with pytest.raises(WrongUseError, match=message):
        read_golden(bundle)


def test_verification_names_an_output_of_another_shape(heat: Path, tmp_path: Path) -> None:
    tree = json.loads((heat / "model.json").read_text())
    copy = changed(heat, tmp_path / "copy").path
    tree["outputs"][1]["shape"] = ["n", "height"]  # of 5 rows, but flat has 12 numbers
    (copy / "model.json").write_text(json.dumps(tree))

    checks = {check.subject: check for check in verify_bundle(Bundle.load(copy))}

    assert checks["onnx variant"].outcome == "failed"
    assert "holds flat as float32 (2, 12), not float32 (2, 5)" in checks["onnx variant"].detail
