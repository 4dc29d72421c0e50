"""A model of an image and a number: each row needs both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
from onnx import TensorProto, helper

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import golden_images, pack_golden
from sightline.bundle.image_settings import Size
from sightline.bundle.verify import verify_bundle
from sightline.engine.model import Model
from sightline.engine.result_type import Vector
from sightline.engine.run import run, run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError

from .free_models import write_mixed
from .tensor_model import IMAGE_FEED, write_bundle

DENIED = {"code": "DENIED", "stage": "read", "message": "no"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Each channel's mean times the number."""
    images, factors = golden_images(Size(8, 8)), np.array([1, 2, 0.5, -1], np.float32)
    means = images.astype(np.float32).mean(axis=(1, 2)) * factors[:, None]
    golden = pack_golden({"images": images, "factor": factors}, {"scaled": means})
    path = write_bundle(
        tmp_path_factory.mktemp("models") / "scaled",
        _graph(),
        golden,
        rows=4,
        inputs=[
            {"name": "images", "dtype": "uint8", "shape": ["n", 8, 8, 3], "feed": IMAGE_FEED},
            {"name": "factor", "dtype": "float32", "shape": ["n"], "feed": {"kind": "tensor"}},
        ],
        outputs=[
            {"name": "scaled", "dtype": "float32", "shape": ["n", 3], "head": {"kind": "vector"}}
        ],
    )
    bundle = Bundle.load(path)
    return Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))


def test_it_is_verified_with_both_inputs(model: Model) -> None:
    assert {check.outcome for check in verify_bundle(model.bundle)} == {"ok"}


@pytest.mark.parametrize("batch_rows", [1, 2, 32])
def test_a_row_has_a_result_only_if_both_inputs_fit(
    model: Model, encode: Callable[..., bytes], batch_rows: int
) -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "factor": pa.array([2.0, 1.0, None, 3.0, 1.0, 0.5]),
            "id": pa.array(range(6)),
            "image": pa.array(
                [encode("red"), b"text", encode("red"), None, encode("blue"), encode("lime")],
                pa.binary(),
            ),
            "failed": pa.array([None] * 4 + [DENIED, None]),
        }
    )
    spec = EngineSettings(batch_rows=batch_rows)

    (found,) = run([batch], model, spec, Vector(), ["image", "factor"], "failed")

    assert found.schema.names == ["id", "features", "error"]
    rows = found.to_pylist()
    assert [row["features"] for row in rows] == [
        [510, 0, 0],
        None,
        None,
        None,
        None,
        [0, 127.5, 0],
    ]
    codes = [row["error"] and row["error"]["code"] for row in rows]
    assert codes == [None, "UNSUPPORTED", "INVALID_INPUT", "EMPTY", "DENIED", None]


def test_a_scalar_row_is_null_only_if_all_arguments_are(
    model: Model, encode: Callable[..., bytes]
) -> None:
    image = pa.StructArray.from_arrays(
        [
            pa.array([encode("red"), None, None, None], pa.binary()),
            pa.array([None, None, DENIED, None]),
        ],
        ["content", "error"],
        mask=pa.array([False, True, False, True]),
    )
    factor = pa.array([2, None, 1, 1], pa.int32())

    (found,) = run_scalar([(image, factor)], model, EngineSettings(), Vector())

    rows: list[Any] = [row.as_py() for row in found]
    assert rows[0] == {"features": [510, 0, 0], "error": None}
    assert rows[1] is None
    assert rows[2]["error"] == DENIED
    assert rows[3]["error"]["code"] == "EMPTY"


def test_images_without_the_other_input_are_refused(model: Model) -> None:
    message = (
        r"UNKNOWN_COLUMN: 1 columns are given for the 2 inputs of model scaled: images, factor"
    )
    with pytest.raises(WrongUseError, match=message):
        list(run_scalar([pa.array([b""])], model, EngineSettings(), Vector()))
    with pytest.raises(
        WrongUseError, match=r"NO_IMAGE_INPUT: .* images \(image\), factor \(tensor"
    ):
        model.bundle.manifest.signature.require_image("scaled")


@pytest.mark.parametrize("threads", [1, 2])
def test_an_image_and_a_list_of_any_length(
    tmp_path: Path, encode: Callable[..., bytes], threads: int
) -> None:
    bundle = Bundle.load(write_mixed(tmp_path / "mixed"))
    assert {check.outcome for check in verify_bundle(bundle)} == {"ok"}
    mixed = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    colours = ["red", "blue", "lime"] * 30
    images = [encode(colour) for colour in colours]
    images[7] = b"text"
    numbers = [[1.0] * (at % 4) for at in range(90)]  # every fourth list is empty

    (found,) = run_scalar(
        [(pa.array(images), pa.array(numbers))],
        mixed,
        EngineSettings(threads=threads, batch_rows=5),
        Vector(),
    )

    rows: list[Any] = [row.as_py() for row in found]
    channel = {"red": 0, "lime": 1, "blue": 2}
    for at, row in enumerate(rows):
        if at == 7 or at % 4 == 0:
            code = "UNSUPPORTED" if at == 7 else "INVALID_INPUT"
            assert (row["error"]["code"], row["features"]) == (code, None)
        else:
            wanted = [0.0] * 3
            wanted[channel[colours[at]]] = 255.0 * (at % 4)
            assert (row["features"], row["error"]) == (wanted, None)


def _graph() -> bytes:
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
        helper.make_node("Unsqueeze", ["factor", "one"], ["column"]),
        helper.make_node("Mul", ["means", "column"], ["scaled"]),
    ]
    graph = helper.make_graph(
        nodes,
        "scaled",
        [
            helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 8, 8, 3]),
            helper.make_tensor_value_info("factor", TensorProto.FLOAT, ["n"]),
        ],
        [helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
