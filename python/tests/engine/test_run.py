from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.backends.backend import Array
from sightline.engine import arrow_types
from sightline.engine.counters import Counters
from sightline.engine.model import Model
from sightline.engine.result_type import Probabilities, ResultType, TopK
from sightline.engine.run import run, run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError, WrongUseError

Encode = Callable[..., bytes]
SPEC = EngineSettings()
DENIED = {"code": "DENIED", "stage": "read", "message": "no"}


def batch_of(contents: list[bytes | None], errors: list[dict[str, str] | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array([f"{i}.png" for i in range(len(contents))]),
            pa.array(contents, pa.binary()),
            pa.array(errors, arrow_types.ERROR),
            pa.array(range(len(contents)), pa.int64()),
        ],
        ["path", "bytes", "failed", "number"],
    )


def values(column: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[Any]:
    return column.to_pylist()


def predicted(
    batches: list[pa.RecordBatch],
    model: Model,
    spec: EngineSettings = SPEC,
    result: ResultType = TopK(2),  # noqa: B008 - frozen
) -> list[pa.RecordBatch]:
    found = list(run(iter(batches), model, spec, result, ["bytes"], "failed"))
    for batch in found:
        batch.validate(full=True)
    return found


def test_a_red_image_is_red(colour_model: Model, encode: Encode) -> None:
    batch = batch_of([encode("red"), encode("lime"), encode("blue")], [None] * 3)
    (found,) = predicted([batch], colour_model)
    labels = values(found.column("label"))
    assert labels == ["red", "green", "blue"]
    first = found.to_pylist()[0]
    assert first["class_id"] == 0
    assert first["score"] == pytest.approx(1 / (1 + 2 * np.exp(-10)))
    assert [entry["label"] for entry in first["top_k"]] == ["red", "green"]
    assert first["top_k"][0]["score"] == first["score"]


def test_columns_pass_through_and_image_bytes_do_not(colour_model: Model, encode: Encode) -> None:
    (found,) = predicted([batch_of([encode("red")], [None])], colour_model)
    assert found.schema.names == ["path", "number", "label", "class_id", "score", "top_k", "error"]
    assert pa.struct(list(found.schema)[2:6]) == arrow_types.PREDICTION
    assert found.schema.field("error").type == arrow_types.ERROR


def test_each_row_has_a_prediction_or_an_error_and_never_both(
    colour_model: Model, encode: Encode
) -> None:
    contents = [encode("red"), None, b"", b"text", None, encode("blue")]
    errors = [None, DENIED, None, None, None, DENIED]
    (found,) = predicted([batch_of(contents, errors)], colour_model)
    codes = [row and row["code"] for row in values(found.column("error"))]
    assert codes == [None, "DENIED", "EMPTY", "UNSUPPORTED", "EMPTY", "DENIED"]
    assert found.column("error")[1].as_py() == DENIED
    for field in arrow_types.PREDICTION:
        one = np.asarray(found.column(field.name).is_valid())
        assert (one ^ np.asarray(found.column("error").is_valid())).all()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("arrow_rows", [1, 3, 100])
@pytest.mark.parametrize("batch_rows", [1, 4, 32])
def test_the_answer_does_not_depend_on_batch_sizes_or_threads(
    arrow_rows: int, batch_rows: int, threads: int, colour_model: Model, encode: Encode
) -> None:
    chance = np.random.default_rng(5)
    contents: list[bytes | None] = [
        b"broken" if i % 7 == 3 else encode(tuple(chance.integers(0, 256, 3).tolist()))
        for i in range(60)
    ]
    whole = batch_of(contents, [DENIED if i % 11 == 5 else None for i in range(60)])
    parts = [whole.slice(start, arrow_rows) for start in range(0, 60, arrow_rows)]
    found = predicted(parts, colour_model, EngineSettings(batch_rows=batch_rows, threads=threads))
    assert [batch.num_rows for batch in found] == [part.num_rows for part in parts]
    table = pa.Table.from_batches(found)
    (expected,) = predicted([whole], colour_model, EngineSettings(batch_rows=60))
    assert values(table.column("path")) == values(whole.column("path"))
    assert values(table.column("error")) == values(expected.column("error"))
    assert values(table.column("label")) == values(expected.column("label"))
    for one, other in zip(
        values(table.column("score")), values(expected.column("score")), strict=True
    ):
        assert one == (other and pytest.approx(other, abs=1e-5))


def test_empty_batches_give_empty_batches(colour_model: Model, encode: Encode) -> None:
    empty = batch_of([], [])
    found = predicted([empty, batch_of([encode("red")], [None]), empty], colour_model)
    assert [batch.num_rows for batch in found] == [0, 1, 0]


def test_a_nan_score_is_an_error_of_its_row(nan_model: Model, encode: Encode) -> None:
    (found,) = predicted([batch_of([encode("black")], [None])], nan_model)
    assert found.column("top_k")[0].as_py() is None
    assert found.column("error")[0].as_py() == {
        "code": "MODEL",
        "stage": "infer",
        "message": "The model gave a score that is not a number.",
    }


def test_memory_does_not_grow_with_an_input_of_errors(colour_model: Model, encode: Encode) -> None:
    taken = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        yield batch_of([encode("red")], [None])
        for taken in range(1000):  # noqa: B007 - counted for the assertion below
            yield batch_of([None], [DENIED])

    next(run(batches(), colour_model, EngineSettings(batch_rows=8), TopK(1), ["bytes"], "failed"))
    # 128 rows wait behind the first one, and 64 record batches were read ahead.
    assert taken < 200


def test_worker_threads_work_at_once(colour_model: Model, encode: Encode) -> None:
    both = threading.Barrier(2, timeout=20)  # breaks unless two batches are in the model at once

    class Meeting:
        def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> Mapping[str, Array]:
            both.wait()
            return colour_model.session.run(feeds, wanted)

    batch = batch_of([encode("red")] * 4, [None] * 4)
    model = Model(colour_model.bundle, Meeting())
    (found,) = predicted([batch], model, EngineSettings(batch_rows=1, threads=2))
    assert found.column("error").null_count == 4


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_does_not_grow_with_the_input(
    threads: int, colour_model: Model, encode: Encode
) -> None:
    image = encode("red") + b"\xff" * 1_000_000  # bytes after the end of a PNG are skipped
    before = pa.total_allocated_bytes()
    most = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for _ in range(200):
            yield pa.RecordBatch.from_pydict({"bytes": pa.array([image] * 4, pa.binary())})
            most = max(most, pa.total_allocated_bytes() - before)

    spec = EngineSettings(batch_rows=8, threads=threads)
    found = run(batches(), colour_model, spec, TopK(1), ["bytes"], "failed")
    assert sum(batch.num_rows for batch in found) == 800
    assert most < 100_000_000  # of 800 MB: 16 MiB read ahead, and the batches of the worker threads


def test_the_counters_have_the_time_of_each_step(colour_model: Model, encode: Encode) -> None:
    image = encode("red", size=(200, 200))
    counters = Counters()
    batch = batch_of([image, None, image], [None, DENIED, None])
    spec = EngineSettings(batch_rows=3)
    list(run([batch, batch], colour_model, spec, TopK(5), ["bytes"], "failed", counters))
    assert (counters.images, counters.batches) == (6, 2)
    assert counters.image_bytes == 4 * len(image)
    assert counters.decode_cpu_s > 0
    assert counters.infer_wall_s > 0


def test_a_batch_without_a_column_of_errors_is_read_as_well(
    colour_model: Model, encode: Encode
) -> None:
    batch = pa.RecordBatch.from_pydict(
        {"bytes": pa.array([encode("blue"), None], pa.large_binary())}
    )
    (found,) = predicted([batch], colour_model)
    assert found.column("label")[0].as_py() == "blue"
    assert found.column("error")[1].as_py()["code"] == "EMPTY"


def test_a_missing_content_column_is_named(colour_model: Model) -> None:
    batch = pa.RecordBatch.from_pydict({"path": ["a"]})
    with pytest.raises(WrongUseError, match=r"UNKNOWN_COLUMN: 'bytes'\. The input has: path"):
        predicted([batch], colour_model)


def test_images_of_another_type_are_refused(colour_model: Model) -> None:
    batch = pa.RecordBatch.from_pydict({"bytes": pa.array([1, 2])})
    with pytest.raises(WrongUseError, match="WRONG_COLUMN_TYPE: the column of images is int64"):
        predicted([batch], colour_model)


class Failing:
    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> Mapping[str, Array]:
        raise RuntimeError("the device is gone")


class Misshapen:
    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> Mapping[str, Array]:
        return {"logits": np.zeros((len(feeds["images"]), 2), np.float32)}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_backend_that_fails_ends_the_run(
    threads: int, colour_model: Model, encode: Encode
) -> None:
    model = Model(colour_model.bundle, Failing())
    message = "MODEL_FAILED: model colour failed on a batch of 1 images: RuntimeError: the device"
    with pytest.raises(SightlineError, match=message):
        predicted([batch_of([encode("red")], [None])], model, EngineSettings(threads=threads))


def test_an_output_of_another_shape_ends_the_run(colour_model: Model, encode: Encode) -> None:
    model = Model(colour_model.bundle, Misshapen())
    with pytest.raises(SightlineError, match="MODEL_OUTPUT"):
        predicted([batch_of([encode("red")], [None])], model)


def test_a_scalar_call_gives_null_for_null(colour_model: Model, encode: Encode) -> None:
    arrays = [pa.array([None, encode("red")], pa.binary()), pa.array([b""], pa.binary())]
    first, second = run_scalar(iter(arrays), colour_model, SPEC, TopK(5))
    assert first.type == pa.struct([*arrow_types.PREDICTION, pa.field("error", arrow_types.ERROR)])
    assert first[0].as_py() is None
    assert first[1].as_py()["label"] == "red"
    assert first[1].as_py()["error"] is None
    assert second[0].as_py() == {
        "label": None,
        "class_id": None,
        "score": None,
        "top_k": None,
        "error": {"code": "EMPTY", "stage": "decode", "message": "The file has 0 bytes."},
    }


def test_a_scalar_call_on_images_with_read_errors_keeps_the_errors(
    colour_model: Model, encode: Encode
) -> None:
    column = pa.StructArray.from_arrays(
        [
            pa.array([encode("blue"), None, encode("red")], pa.binary()),
            pa.array([None, DENIED, None], arrow_types.ERROR),
        ],
        ["content", "error"],
        mask=pa.array([False, False, True]),
    )
    (found,) = run_scalar(iter([column]), colour_model, SPEC, TopK(5))
    rows = values(found)
    assert rows[0]["label"] == "blue"
    assert rows[1]["error"] == DENIED
    assert rows[2] is None


def test_probabilities_are_those_of_every_class(colour_model: Model, encode: Encode) -> None:
    arrays = [pa.array([encode("white"), b"text"], pa.binary())]
    (found,) = run_scalar(iter(arrays), colour_model, SPEC, Probabilities())
    assert found.type == pa.struct(
        [*arrow_types.PROBABILITIES, pa.field("error", arrow_types.ERROR)]
    )
    white, text = values(found)
    third = pytest.approx(1 / 3)
    assert dict(white["probabilities"]) == {"red": third, "green": third, "blue": third}
    assert (white["label"], white["confidence"]) == ("red", third)
    assert (text["label"], text["probabilities"], text["error"]["code"]) == (
        None,
        None,
        "UNSUPPORTED",
    )
