from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sightline.backends.backend import Float32Array, UInt8Array
from sightline.engine import arrow_types
from sightline.engine.counters import Counters
from sightline.engine.model import Model
from sightline.engine.run import run
from sightline.engine.run_scalar import run_scalar
from sightline.engine.spec import EngineSpec
from sightline.errors import SightlineError, WrongUseError

Encode = Callable[..., bytes]
TOP_2 = EngineSpec(top_k=2)
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
    batches: list[pa.RecordBatch], model: Model, spec: EngineSpec = TOP_2
) -> list[pa.RecordBatch]:
    found = list(run(iter(batches), model, spec, "bytes", "failed"))
    for batch in found:
        batch.validate(full=True)
    return found


def test_a_red_image_is_red(colour_model: Model, encode: Encode) -> None:
    batch = batch_of([encode("red"), encode("lime"), encode("blue")], [None] * 3)
    (found,) = predicted([batch], colour_model)
    labels = [row["label"] for row in values(found.column("prediction"))]
    assert labels == ["red", "green", "blue"]
    first = found.column("prediction")[0].as_py()
    assert first["class_id"] == 0
    assert first["score"] == pytest.approx(1 / (1 + 2 * np.exp(-10)))
    assert [entry["label"] for entry in first["top_k"]] == ["red", "green"]
    assert first["top_k"][0]["score"] == first["score"]


def test_columns_pass_through_and_image_bytes_do_not(colour_model: Model, encode: Encode) -> None:
    (found,) = predicted([batch_of([encode("red")], [None])], colour_model)
    assert found.schema.names == ["path", "number", "prediction", "error"]
    assert found.schema.field("prediction").type == arrow_types.PREDICTION
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
    one = np.asarray(found.column("prediction").is_valid())
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
    found = predicted(parts, colour_model, EngineSpec(batch_rows=batch_rows, threads=threads))
    assert [batch.num_rows for batch in found] == [part.num_rows for part in parts]
    table = pa.Table.from_batches(found)
    (expected,) = predicted([whole], colour_model, EngineSpec(batch_rows=60))
    assert values(table.column("path")) == values(whole.column("path"))
    assert values(table.column("error")) == values(expected.column("error"))
    for one, other in zip(
        values(table.column("prediction")),
        values(expected.column("prediction")),
        strict=True,
    ):
        assert (one and one["label"]) == (other and other["label"])
        if one:
            assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def test_empty_batches_come_back_empty(colour_model: Model, encode: Encode) -> None:
    empty = batch_of([], [])
    found = predicted([empty, batch_of([encode("red")], [None]), empty], colour_model)
    assert [batch.num_rows for batch in found] == [0, 1, 0]


def test_a_score_that_is_no_number_is_an_error_of_its_row(nan_model: Model, encode: Encode) -> None:
    (found,) = predicted([batch_of([encode("black")], [None])], nan_model)
    assert found.column("prediction")[0].as_py() is None
    assert found.column("error")[0].as_py() == {
        "code": "MODEL",
        "stage": "infer",
        "message": "The model gave a score that is not a number.",
    }


def test_what_waits_does_not_grow_with_an_input_of_errors(
    colour_model: Model, encode: Encode
) -> None:
    taken = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        yield batch_of([encode("red")], [None])
        for taken in range(1000):  # noqa: B007 - counted for the assertion below
            yield batch_of([None], [DENIED])

    next(run(batches(), colour_model, EngineSpec(batch_rows=8), "bytes", "failed"))
    assert taken < 150


def test_worker_threads_work_at_once(colour_model: Model, encode: Encode) -> None:
    both = threading.Barrier(2, timeout=20)  # breaks unless two batches are in the model at once

    class Meeting:
        def run(self, images: UInt8Array) -> dict[str, Float32Array]:
            both.wait()
            return colour_model.session.run(images)

    batch = batch_of([encode("red")] * 4, [None] * 4)
    model = Model(colour_model.bundle, Meeting())
    (found,) = predicted([batch], model, EngineSpec(batch_rows=1, top_k=1, threads=2))
    assert found.column("error").null_count == 4


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_does_not_grow_with_the_input(
    threads: int, colour_model: Model, encode: Encode
) -> None:
    image = encode("red") + b"\xff" * 1_000_000  # what follows the end of a PNG is passed over
    before = pa.total_allocated_bytes()
    most = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for _ in range(200):
            yield pa.RecordBatch.from_pydict({"bytes": pa.array([image] * 4, pa.binary())})
            most = max(most, pa.total_allocated_bytes() - before)

    spec = EngineSpec(batch_rows=8, threads=threads)
    found = run(batches(), colour_model, spec, "bytes", "failed")
    assert sum(batch.num_rows for batch in found) == 800
    assert most < 100_000_000  # of 800 MB: 32 MiB read ahead, and what waits for the worker threads


def test_the_counters_tell_where_the_time_went(colour_model: Model, encode: Encode) -> None:
    image = encode("red", size=(200, 200))
    counters = Counters()
    batch = batch_of([image, None, image], [None, DENIED, None])
    list(run([batch, batch], colour_model, EngineSpec(batch_rows=3), "bytes", "failed", counters))
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
    assert found.column("prediction")[0].as_py()["label"] == "blue"
    assert found.column("error")[1].as_py()["code"] == "EMPTY"


def test_a_missing_content_column_is_named(colour_model: Model) -> None:
    batch = pa.RecordBatch.from_pydict({"path": ["a"]})
    with pytest.raises(WrongUseError, match=r"UNKNOWN_COLUMN: 'bytes'\. The input has: path"):
        predicted([batch], colour_model)


class Failing:
    def run(self, images: UInt8Array) -> dict[str, Float32Array]:
        raise RuntimeError("the device is gone")


class Misshapen:
    def run(self, images: UInt8Array) -> dict[str, Float32Array]:
        return {"logits": np.zeros((len(images), 2), np.float32)}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_backend_that_fails_ends_the_run(
    threads: int, colour_model: Model, encode: Encode
) -> None:
    model = Model(colour_model.bundle, Failing())
    message = "MODEL_FAILED: model colour failed on a batch of 1 images: RuntimeError: the device"
    with pytest.raises(SightlineError, match=message):
        predicted([batch_of([encode("red")], [None])], model, EngineSpec(threads=threads))


def test_an_output_of_another_shape_ends_the_run(colour_model: Model, encode: Encode) -> None:
    model = Model(colour_model.bundle, Misshapen())
    with pytest.raises(SightlineError, match="MODEL_OUTPUT"):
        predicted([batch_of([encode("red")], [None])], model)


def test_a_scalar_call_gives_null_for_null(colour_model: Model, encode: Encode) -> None:
    arrays = [pa.array([None, encode("red")], pa.binary()), pa.array([b""], pa.binary())]
    first, second = run_scalar(iter(arrays), colour_model, EngineSpec(), "prediction")
    assert first.type == arrow_types.SCALAR_PREDICTION
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


def test_a_scalar_call_on_read_images_keeps_their_errors(
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
    (found,) = run_scalar(iter([column]), colour_model, EngineSpec(), "prediction")
    rows = values(found)
    assert rows[0]["label"] == "blue"
    assert rows[1]["error"] == DENIED
    assert rows[2] is None


def test_image_inference_gives_every_classs_probability(
    colour_model: Model, encode: Encode
) -> None:
    arrays = [pa.array([encode("white"), b"text"], pa.binary())]
    (found,) = run_scalar(iter(arrays), colour_model, EngineSpec(top_k=None), "image_inference")
    assert found.type == arrow_types.IMAGE_INFERENCE
    white, text = values(found)
    third = pytest.approx(1 / 3)
    assert dict(white["probabilities"]) == {"red": third, "green": third, "blue": third}
    assert (white["label"], white["confidence"]) == ("red", third)
    assert (text["label"], text["probabilities"], text["error"]["code"]) == (
        None,
        None,
        "UNSUPPORTED",
    )
