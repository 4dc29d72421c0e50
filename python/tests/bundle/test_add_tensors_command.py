"""`sightline models add` of models of any tensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from sightline.bundle.bundle import Bundle
from sightline.cli.models import models
from sightline.errors import WrongUseError

from .tensor_graphs import parse, run_model


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(models, [str(one) for one in arguments])


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A graph of integers of any length, with an inner value `hidden`."""
    graph = parse(
        "g (int64[n, tokens] ids) => (float[n, tokens, 2] states, float[n, 2] pooled) {"
        "  table = Constant<value = float[9, 2] {0,1, 2,3, 4,5, 6,7, 8,9, 1,1, 2,2, 3,3, 4,4}>()"
        "  states = Gather(table, ids)  axes = Constant<value = int64[1] {1}>()"
        "  hidden = ReduceSum<keepdims = 0>(states, axes)  pooled = Tanh(hidden) }"
    )
    onnx.save(graph, tmp_path / "encoder.onnx")
    return tmp_path / "encoder.onnx"


def test_a_graph_of_tensors_needs_no_more_than_its_file(tmp_path: Path, encoder: Path) -> None:
    root = tmp_path / "models"
    result = call("add", "encoder", "--onnx", encoder, "--models", root, "--licence", "MIT")
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines()[1:] == [
        "input ids: int64 (n, tokens), tensor",
        "output states: float32 (n, tokens, 2), tensor",
        "output pooled: float32 (n, 2), vector",
    ]
    assert "verified encoder" in call("verify", "encoder", "--models", root).output
    manifest = json.loads(call("describe", "encoder", "--json", "--models", root).output)
    assert manifest["inputs"][0]["shape"] == ["n", "tokens"]
    assert (manifest["licence"], manifest["source"]) == ("MIT", "ONNX, encoder.onnx")
    again = call("add", "encoder", "--onnx", encoder, "--models", root)
    assert "MODEL_EXISTS" in str(again.exception)
    assert call("add", "encoder", "--onnx", encoder, "--models", root, "--overwrite").exit_code == 0


def test_heads_labels_ranges_and_inner_outputs_are_options(tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "labels.txt").write_text("low\nhigh\n")
    result = call(
        *("add", "m", "--onnx", encoder, "--models", tmp_path / "models", "--output", "hidden"),
        *("--head", f"pooled=classes:{tmp_path}/labels.txt", "--range", "ids=1:5"),
        *("--head", "hidden=tensor", "--activation", "softmax"),
    )
    assert result.exit_code == 0, result.exception
    bundle = Bundle.load(tmp_path / "models" / "m")
    kinds = {one.name: one.kind for one in bundle.manifest.signature.outputs}
    assert kinds == {"states": "tensor", "pooled": "classes", "hidden": "tensor"}
    assert bundle.labels == ("low", "high")
    found = run_model(bundle, ids=np.array([[1, 4]]))
    assert found["hidden"].tolist() == [[10, 12]]


def test_labels_alone_belong_to_the_output_with_as_many_numbers(
    tmp_path: Path, encoder: Path
) -> None:
    (tmp_path / "labels.txt").write_text("low\nhigh\n")
    options: list[str | Path] = [
        "--onnx",
        encoder,
        "--models",
        tmp_path,
        "--labels",
        tmp_path / "labels.txt",
    ]
    result = call("add", "m", *options, "--activation", "none")
    assert result.exit_code == 0, result.exception
    assert "output pooled: float32 (n, 2), classes" in result.output


def test_an_image_beside_numbers(tmp_path: Path) -> None:
    graph = parse(
        "g (float[n, 3, 4, 4] photo, float[n, 1] price) => (float[n, 2] y) {"
        "  axes = Constant<value = int64[3] {1, 2, 3}>()  m = ReduceMean<keepdims = 0>(photo, axes)"
        "  one = Constant<value = int64[1] {1}>()  c = Unsqueeze(m, one)"
        "  y = Concat<axis = 1>(c, price) }"
    )
    onnx.save(graph, tmp_path / "g.onnx")
    options: list[str | Path] = [
        "--onnx",
        tmp_path / "g.onnx",
        "--models",
        tmp_path,
        "--input",
        "photo=image",
    ]
    result = call("add", "m", *options, "--resize", "4x4", "--mean", "0", "--std", "1")
    assert result.exit_code == 0, result.exception
    assert "input photo: uint8 (n, 4, 4, 3), image\ninput price: float32 (n, 1), tensor" in (
        result.output
    )
    missing = call("add", "other", *options)
    assert missing.exit_code == 2
    assert "--resize, --mean, --std must be given for an input of images" in missing.output


def test_a_scikit_learn_file_is_added(tmp_path: Path) -> None:
    skops_io = pytest.importorskip("skops.io", reason="the extra sklearn is not installed")
    from sklearn.linear_model import LogisticRegression

    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    skops_io.dump(LogisticRegression().fit(x, ["a", "a", "b", "b"]), tmp_path / "m.skops")
    result = call("add", "m", "--sklearn", tmp_path / "m.skops", "--models", tmp_path)
    assert result.exit_code == 0, result.exception
    assert "output label is left out: it is text, not numbers" in result.output
    assert Bundle.load(tmp_path / "m").labels == ("a", "b")


def test_weights_of_a_network_without_images_need_an_example_of_each_input(
    networks: None, tmp_path: Path
) -> None:
    import torch

    torch.manual_seed(3)
    torch.save(torch.nn.Linear(4, 2).state_dict(), tmp_path / "linear.pth")
    result = call(
        *("add", "m", "--weights", tmp_path / "linear.pth", "--models", tmp_path),
        *("--architecture", "torch.nn:Linear"),
        *("--architecture-arguments", '{"in_features": 4, "out_features": 2}'),
        *("--example", "input=float32[n,4]"),
    )
    assert result.exit_code == 0, result.exception
    assert "input input: float32 (n, 4), tensor" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--head pooled", "INVALID_OPTION: --head is 'pooled'. Write OUTPUT=HEAD; the heads are"),
        ("--head pooled=boxes", "INVALID_OPTION: --head is 'pooled=boxes'."),
        ("--head pooled=vector:x.txt", "INVALID_OPTION: --head is 'pooled=vector:x.txt'."),
        ("--range ids=5", "INVALID_OPTION: --range is 'ids=5'. Write INPUT=LOW:HIGH"),
        ("--range ids=5:2", "INVALID_OPTION: --range is 'ids=5:2'."),
        ("--input ids=tensor", "INVALID_OPTION: --input is 'ids=tensor'. Write NAME=image"),
        ("--keras m.keras", "NO_SOURCE: give one of --onnx, --torch-export, --keras,"),
        ("--example ids=int64[n]", "NO_SOURCE: give one of"),
        ("--output nothing", "UNKNOWN_OUTPUT: 'nothing' is not a value of the graph."),
    ],
)
def test_a_wrong_option_is_wrong_use(
    tmp_path: Path, encoder: Path, options: str, message: str
) -> None:
    result = call("add", "m", "--onnx", encoder, "--models", tmp_path / "m", *options.split())
    assert isinstance(result.exception, WrongUseError)
    assert str(result.exception).startswith(message)


@pytest.mark.parametrize(
    ("option", "package"),
    [
        ("--sklearn", "skl2onnx"),
        ("--keras", "keras"),
        ("--torch-export", "onnxscript"),
        ("--onnx", "onnx"),
    ],
)
def test_a_missing_package_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, package: str
) -> None:
    def has(name: str) -> bool:
        return name != package

    monkeypatch.setattr("sightline.require_package.has_package", has)
    result = call("add", "m", option, tmp_path / "m.file", "--models", tmp_path)
    assert isinstance(result.exception, WrongUseError)
    error: Any = result.exception
    assert error.code == "MISSING_PACKAGE"
    assert f"adding a model needs the package {package}, which " in error.message
    assert "Install with: pip install 'sightline[add,cpu" in error.message
