"""`sightline.add_model`: models in memory and in files."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import sightline
from sightline.backends.device import Device
from sightline.backends.onnx import BACKEND as ONNX
from sightline.bundle.bundle import Bundle

PIXELS = (
    '<ir_version: 8, opset_import: ["": 18]>\n'
    "g (float[n, 3, 4, 4] x) => (float[n, 3] mean) {"
    "  axes = Constant<value = int64[2] {2, 3}>()  mean = ReduceMean<keepdims = 0>(x, axes) }"
)
IMAGE = {"resize": (4, 4), "mean": 0.5, "std": (0.5, 0.5, 0.5)}


def outputs(folder: Path, **inputs: Any) -> Any:  # noqa: ANN401
    bundle = Bundle.load(folder)
    names = [one.name for one in bundle.manifest.signature.outputs]
    return ONNX.open(bundle, Device("cpu"), 1).run(inputs, names)


def test_a_graph_in_memory_and_in_a_file_give_the_same_results(tmp_path: Path) -> None:
    graph = onnx.parser.parse_model(PIXELS)
    onnx.save(graph, tmp_path / "g.onnx")
    x = np.arange(96, dtype=np.float32).reshape(2, 3, 4, 4)
    for source in (graph, tmp_path / "g.onnx", str(tmp_path / "g.onnx")):
        path = sightline.add_model(source, "m", models=tmp_path, overwrite=True)
        assert path == tmp_path / "m"
        assert outputs(path, x=x)["mean"].tolist() == x.mean(axis=(2, 3)).tolist()


def test_a_classifier_of_images_predicts(tmp_path: Path, encode: Any) -> None:  # noqa: ANN401
    graph = onnx.parser.parse_model(PIXELS)
    labels = ["red", "green", "blue"]
    path = sightline.add_model(graph, "m", models=tmp_path, images={"x": IMAGE}, labels=labels)
    (found,) = sightline.load(path).predict([encode("lime")])
    assert (found.label, found.error) == ("green", None)


def test_labels_may_be_files_and_belong_to_outputs(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    graph = onnx.parser.parse_model(PIXELS)
    for labels in (tmp_path / "labels.txt", {"mean": ("a", "b", "c")}):
        path = sightline.add_model(graph, "m", models=tmp_path, labels=labels, overwrite=True)
        assert Bundle.load(path).labels == ("a", "b", "c")


def test_labels_and_outputs_may_be_iterators(tmp_path: Path) -> None:
    graph = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]>\n'
        "g (float[n, 3] x) => (float[n, 3] y) { z = Neg(x)  y = Exp(z) }"
    )
    given: list[tuple[Any, Any, list[str]]] = [
        ((one for one in "abc"), (), ["y"]),
        ({"y": iter(["a", "b", "c"])}, iter(["z"]), ["y", "z"]),
    ]
    for labels, outputs, names in given:
        path = sightline.add_model(
            graph, "m", models=tmp_path, labels=labels, outputs=outputs, overwrite=True
        )
        bundle = Bundle.load(path)
        assert bundle.labels == ("a", "b", "c")
        assert [one.name for one in bundle.manifest.signature.outputs] == names


def test_a_module_of_torch_is_added_with_its_examples(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    examples = (torch.zeros(1, 3),)
    path = sightline.add_model(network, "m", models=tmp_path, example_inputs=examples)
    x = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
    (name,) = (one.tensor.name for one in Bundle.load(path).manifest.signature.inputs)
    (found,) = outputs(path, **{name: x}).values()
    assert np.abs(found - network(torch.from_numpy(x)).detach().numpy()).max() < 1e-6
    with pytest.raises(sightline.WrongUseError, match=r"NO_SOURCE: a Sequential of torch does not"):
        sightline.add_model(network, "other", models=tmp_path)
    for state in (network.state_dict(), OrderedDict(weight=np.zeros(3))):
        with pytest.raises(sightline.WrongUseError, match="NO_SOURCE: a state dict holds the num"):
            sightline.add_model(state, "other", models=tmp_path)


def test_an_estimator_is_added(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx", reason="the extra sklearn is not installed")
    from sklearn.linear_model import LinearRegression

    x = np.array([[0.0, 1], [1, 0], [2, 2], [3, 1]])
    estimator = LinearRegression().fit(x, x[:, 0] * 2 + x[:, 1])
    path = sightline.add_model(estimator, "m", models=tmp_path)
    found = outputs(path, features=np.array([[5, 7]], np.float32))["variable"]
    assert found.round(4).tolist() == [[17]]


def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skl2onnx", reason="the extra sklearn is not installed")
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102
    low, high = (row["probabilities"] for row in names["rows"])
    assert Bundle.load(names["path"]).labels == ("high", "low")
    assert low[1] > 0.7 > 0.3 > high[1]


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        (3, {}, "UNKNOWN_SOURCE: a builtins.int is not a model that can be added. Known: a path,"),
        (
            "m.pkl",
            {},
            "UNKNOWN_SOURCE: 'm.pkl' is not a model that can be added. Known: files that",
        ),
        (onnx.GraphProto(), {}, "UNKNOWN_SOURCE: a GraphProto of onnx is not a model."),
        ("m.onnx", {"heads": {"y": "boxes"}}, "INVALID_OPTION: heads['y'] is 'boxes'."),
        ("m.onnx", {"activation": "tanh"}, "UNKNOWN_ACTIVATION: activation 'tanh'. Known: auto,"),
        ("m.onnx", {"images": {"x": {"size": 4}}}, "INVALID_OPTION: images is 'size'. Known: re"),
        ("m.onnx", {"images": {"x": {"resize": 4}}}, "INVALID_OPTION: images is '{'resize': 4}'."),
        ("m.onnx", {"name": "a/b"}, "WRONG_MODEL_NAME: 'a/b': a model's name consists of letters"),
        ("m.onnx", {"labels": 3}, "INVALID_OPTION: labels is '3'. It must be a list of texts."),
        ("m.onnx", {"labels": [1, 2]}, "INVALID_OPTION: labels is '[1, 2]'. It must be a list"),
        ("m.onnx", {"labels": {"y": 3}}, "INVALID_OPTION: labels['y'] is '3'. It must be a list"),
        (
            "m.onnx",
            {"heads": "classes"},
            "INVALID_OPTION: heads is 'classes'. It must be a dictionary, such as {'scores': 'cla",
        ),
        ("m.onnx", {"images": ["x"]}, "INVALID_OPTION: images is '['x']'. It must be a dictionar"),
        ("m.onnx", {"images": {"x": 224}}, "INVALID_OPTION: images is '224'. Each input needs re"),
        ("m.onnx", {"ranges": (0, 1)}, "INVALID_OPTION: ranges is '(0, 1)'. It must be a dictio"),
        ("m.onnx", {"ranges": {"x": 5}}, "INVALID_OPTION: ranges['x'] is '5'. It must be two numb"),
        (
            "m.onnx",
            {"ranges": {"x": ("a", "b")}},
            "INVALID_OPTION: ranges['x'] is '('a', 'b')'. It must be two numbers: the lowest value",
        ),
        ("m.onnx", {"labels": iter([1])}, "INVALID_OPTION: labels is '(1,)'. It must be a list of"),
        ("m.onnx", {"outputs": "y"}, "INVALID_OPTION: outputs is 'y'. It must be a list of text"),
    ],
)
def test_wrong_use_is_an_error_with_a_condition(
    source: object, options: dict[str, Any], error: str, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(sightline.WrongUseError) as raised:
        sightline.add_model(source, **{"name": "m", "models": tmp_path, **options})
    assert str(raised.value).startswith(error)


def test_a_model_that_exists_is_replaced_by_an_argument(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(sightline.WrongUseError) as raised:
        sightline.add_model("m.onnx", "there", models=tmp_path)
    assert (
        str(raised.value)
        == f"MODEL_EXISTS: '{tmp_path / 'there'}' exists already. Use overwrite=True."
    )
