"""A model of images with features and without classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper

from sightline.bundle.golden import golden_images, pack_golden
from sightline.bundle.image_settings import Size
from sightline.cli.main import main

from .tensor_model import IMAGE_FEED, write_bundle


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each channel's mean."""
    images = golden_images(Size(8, 8))
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("means", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])],
    )
    opsets = [helper.make_opsetid("", 18)]
    return write_bundle(
        tmp_path_factory.mktemp("models") / "means",
        helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString(),
        pack_golden({"images": images}, {"means": images.astype(np.float32).mean(axis=(1, 2))}),
        rows=4,
        inputs=[{"name": "images", "dtype": "uint8", "shape": ["n", 8, 8, 3], "feed": IMAGE_FEED}],
        outputs=[
            {"name": "means", "dtype": "float32", "shape": ["n", 3], "head": {"kind": "vector"}}
        ],
    )


@pytest.fixture
def arguments(tmp_path: Path, path: Path, encode: Callable[..., bytes]) -> list[str]:
    for name, colour in (("red", "red"), ("blue", (0, 0, 128))):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(encode(colour))
    output = str(tmp_path / "out")
    return ["--images", str(tmp_path / "images"), "--model", str(path), "--output", output]


def test_features_are_written(arguments: list[str], tmp_path: Path) -> None:
    assert main(["features", *arguments]) == 0
    table = pq.read_table(tmp_path / "out" / "part-00000.parquet")
    assert table.column("features").to_pylist() == [[0, 0, 128], [255, 0, 0]]
    assert table.column("label").to_pylist() == ["blue", "red"]


def test_predictions_are_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *arguments]) == 2
    assert "NO_CLASSES: model means has no output of class scores" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_it_is_verified_and_described(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", str(path)]) == 0
    assert main(["models", "describe", str(path)]) == 0
    text = capsys.readouterr().out
    assert "verified means" in text
    assert "resize 8 x 8, bilinear" in text
