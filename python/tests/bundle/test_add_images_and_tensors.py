"""Graphs with inputs of images beside other inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.add_tensors import add_tensors
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.golden import read_golden
from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.bundle.tensor_request import TensorRequest
from sightline.engine.model import Model
from sightline.engine.result_type import Tensors
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError, WrongUseError

from .tensor_graphs import add, parse, tensors

HALVES = Preprocessing("RGB", Resize("stretch", 6, 4, "bilinear"), None, (0.5,) * 3, (0.25,) * 3)
MIXED = (
    "g (float[n, 3, {h}, {w}] photo, float[n, 2] facts) => (float[n, 3] mean, float[n, 5] all) {{"
    "  axes = Constant<value = int64[2] {{2, 3}}>()  mean = ReduceMean<keepdims = 0>(photo, axes)"
    "  all = Concat<axis = 1>(mean, facts) }}"
)


@pytest.mark.parametrize("size", [("6", "4"), ("h", "w")])
def test_an_image_and_a_vector(
    tmp_path: Path, size: tuple[str, str], encode: Callable[..., bytes]
) -> None:
    graph = MIXED.format(h=size[0], w=size[1])
    added = add(graph, tmp_path, images={"photo": HALVES})
    assert tensors(added) == {
        "photo": ("uint8", ("n", 6, 4, 3), "image"),
        "facts": ("float32", ("n", 2), "tensor"),
        "mean": ("float32", ("n", 3), "vector"),
        "all": ("float32", ("n", 5), "vector"),
    }
    inputs, outputs = read_golden(added.bundle)
    by_hand = ((inputs["photo"] / 255 - 0.5) / 0.25).mean(axis=(1, 2))
    assert np.abs(outputs["mean"] - by_hand).max() < 1e-6
    model = Model(added.bundle, open_session(added.bundle, "onnx", Device("cpu"), 1))
    batch = pa.RecordBatch.from_pydict(
        {
            "photo": [encode("red"), encode("white")],
            "facts": pa.array([[7.0, 8.0], [9.0, 10.0]], pa.list_(pa.float32())),
        }
    )
    columns = ["photo", "facts"]
    (found,) = run([batch], model, EngineSettings(), Tensors(("all",)), columns, "none")
    assert found.column("all").to_pylist() == [[2, -2, -2, 7, 8], [2, 2, 2, 9, 10]]


def test_two_images(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 3, h, w] left, uint8[n, 6, 4, 3] right) => (float[n] gap) {"
        "  axes = Constant<value = int64[3] {1, 2, 3}>()  r = Cast<to = 1>(right)"
        "  a = ReduceMean<keepdims = 0>(left, axes)  b = ReduceMean<keepdims = 0>(r, axes)"
        "  gap = Sub(a, b) }",
        tmp_path,
        images={
            "left": Preprocessing("RGB", HALVES.resize, None, (0,) * 3, (1,) * 3),
            "right": Preprocessing("RGB", HALVES.resize, None, (0,) * 3, (1 / 255,) * 3),
        },
    )
    inputs, outputs = read_golden(added.bundle)
    assert not np.array_equal(inputs["left"], inputs["right"])
    left, right = (inputs[name].mean(axis=(1, 2, 3)) for name in ("left", "right"))
    assert np.abs(outputs["gap"] - (left / 255 - right)).max() < 1e-4


def test_the_only_input_needs_no_name(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 6, 4, 3] x) => (float[n, 1] ripe) {"
        "  axes = Constant<value = int64[3] {1, 2, 3}>()  m = ReduceMean<keepdims = 0>(x, axes)"
        "  one = Constant<value = int64[1] {1}>()  c = Unsqueeze(m, one)  ripe = Sigmoid(c) }",
        tmp_path,
        images={"": HALVES},
        labels={"": ("no", "yes")},
        activation="none",
    )
    assert tensors(added)["x"] == ("uint8", ("n", 6, 4, 3), "image")
    assert tensors(added)["ripe_of_two"] == ("float32", ("n", 2), "classes")
    assert added.bundle.labels == ("no", "yes")


@pytest.mark.parametrize(
    ("images", "error"),
    [
        ({"": HALVES}, "UNKNOWN_INPUT: 'ONNX, g' has several inputs, photo, facts."),
        ({"photos": HALVES}, "UNKNOWN_INPUT: 'photos'. Known: photo, facts."),
        ({"facts": HALVES}, "BAD_ONNX: 'ONNX, g': its input 'facts' has shape (n, 2), not (n, 3,"),
        (
            {"photo": Preprocessing("RGB", HALVES.resize, Size(5, 4), (0,) * 3, (1,) * 3)},
            "BAD_ONNX: 'ONNX, g': its images are (6, 4) (height, width), but",
        ),
    ],
)
def test_an_image_that_does_not_fit_is_refused(
    tmp_path: Path, images: dict[str, Preprocessing], error: str
) -> None:
    graph = parse(MIXED.format(h=6, w=4))
    facts, photo = np.zeros((4, 2), np.float32), np.zeros((4, 3, 6, 4), np.float32)
    values = {"photo": photo, "facts": facts}
    converted = ConvertedModel(graph.SerializeToString(), values, {}, "ONNX, g", 0)
    with pytest.raises(WrongUseError) as raised:
        add_tensors(converted, TensorRequest("m", images=images), tmp_path)
    assert str(raised.value).startswith(error)


def test_an_input_whose_channel_axis_is_unknown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match="does not show whether channels are first or last"):
        add(
            "g (float[n, a, b, c] x) => (float[n, a, b, c] y) { y = Neg(x) }",
            tmp_path,
            images={"x": HALVES},
        )
    with pytest.raises(WrongUseError, match=r"BAD_PREPROCESSING: the input 'x' takes uint8 pixels"):
        add(
            "g (uint8[n, 6, 4, 3] x) => (uint8[n, 6, 4, 3] y) { y = Identity(x) }",
            tmp_path,
            images={"x": HALVES},
        )


def test_the_framework_is_compared_before_images_replace_its_rows(tmp_path: Path) -> None:
    graph = parse("g (float[n, 3, 6, 4] x) => (float[n, 72] y) { y = Flatten(x) }")
    x = np.random.default_rng(1).normal(size=(4, 3, 6, 4)).astype(np.float32)
    outputs = {"y": x.reshape(4, 72)}
    converted = ConvertedModel(graph.SerializeToString(), {"x": x}, outputs, "Other 1.0", 0)
    request = TensorRequest("m", images={"x": HALVES})
    assert tensors(add_tensors(converted, request, tmp_path))["y"][1] == ("n", 72)
    wrong = ConvertedModel(
        graph.SerializeToString(), {"x": x}, {"y": outputs["y"] + 0.1}, "Other 1.0", 0
    )
    with pytest.raises(SightlineError, match="MODEL_VARIANTS_DISAGREE"):
        add_tensors(wrong, TensorRequest("other", images={"x": HALVES}), tmp_path)
