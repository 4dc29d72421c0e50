"""Summaries of models of each framework, with the numbers of the frameworks themselves."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

import sightline
from sightline.bundle.bundle import Bundle
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.plugins.model_summary import Layer, ModelSummary


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))


def test_a_model_that_is_converted_twice_has_the_same_hash_and_place() -> None:
    plugin = sightline.load("onnx")
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> g (float[n, 4] x) => (float[n, 4] y) {y = Relu(x)}'
    )
    path = plugin.bundle(model)
    assert Bundle.load(path).manifest.batch_rows == {}
    assert plugin.bundle(model) == path


def graph() -> onnx.ModelProto:
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [4, 2], np.arange(8, dtype=float))
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"], name="multiply"),
        helper.make_node("Relu", ["product"], ["y"]),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "rows", 4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [weight],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        producer_name="hand",
    )


def test_a_summary_prints_aligned_tables() -> None:
    summary = ModelSummary(
        "digits",
        "torch 2.15.0, Sequential",
        14_012,
        (TensorSpec("ids", "int64", ("n", "tokens")), TensorSpec("a_mask", "bool", ("n",))),
        (TensorSpec("scores", "float32", ("n", 10)),),
        (Layer("0", "Linear", "(n, 10)", 14_002), Layer("activation", "ReLU")),
    )
    assert str(summary) == (
        "digits (torch 2.15.0, Sequential)\n"
        "parameters: 14,012\n"
        "\n"
        "input   dtype  shape\n"
        "------  -----  -----------\n"
        "ids     int64  (n, tokens)\n"
        "a_mask  bool   (n)\n"
        "\n"
        "output  dtype    shape\n"
        "------  -------  -------\n"
        "scores  float32  (n, 10)\n"
        "\n"
        "layer       kind    output   parameters\n"
        "----------  ------  -------  ----------\n"
        "0           Linear  (n, 10)      14,002\n"
        "activation  ReLU                      0"
    )


def test_a_notebook_shows_tables_without_markup_of_names() -> None:
    summary = ModelSummary("<b>", "x", None, (), (), (Layer("<script>", "A&B"),) * 61)
    text = summary._repr_html_()
    assert "<b>&lt;b&gt;</b> (x)<br>parameters: unknown<table>" in text
    assert text.count("<td>&lt;script&gt;</td><td>A&amp;B</td>") == 60
    assert "<td>… and 1 more</td>" in text


def test_a_graph_shows_nodes_and_free_axes(tmp_path: Path) -> None:
    file = tmp_path / "small_graph.onnx"
    onnx.save(graph(), file)
    plugin = sightline.load("onnx")
    summary = plugin.model_summary(file)
    assert summary == ModelSummary(
        "small_graph",
        "ONNX opset 18, by hand",
        8,
        (TensorSpec("x", "float32", ("batch", "rows", 4)),),
        (TensorSpec("y", "float32", ("batch", "rows", 2)),),
        (
            Layer("multiply", "MatMul", "(batch, rows, 2)", 8),
            Layer("y", "Relu", "(batch, rows, 2)"),
        ),
    )
    assert plugin.model_summary(str(file)) == summary
    in_memory = plugin.model_summary(graph())
    assert (in_memory.name, in_memory.layers) == ("small", summary.layers)
    with pytest.raises(WrongUseError, match=r"BAD_ONNX: .*none\.onnx"):
        plugin.model_summary(tmp_path / "none.onnx")


def test_a_module_shows_layers_and_their_outputs() -> None:
    module = network().train()
    summary = sightline.load("pytorch").model_summary(module, example_inputs=np.zeros((2, 4), "f4"))
    assert (summary.name, summary.parameters) == ("Sequential", 4 * 3 + 3 + 3 * 2 + 2)
    assert summary.inputs == (TensorSpec("input", "float32", ("n", 4)),)
    assert summary.outputs == (TensorSpec("output", "float32", ("n", 2)),)
    assert summary.layers == (
        Layer("0", "Linear", "(n, 3)", 15),
        Layer("1", "ReLU", "(n, 3)", 0),
        Layer("2", "Linear", "(n, 2)", 8),
    )
    assert module.training
    assert sightline.load("pytorch").model_summary(module).inputs == ()


def test_an_exported_program_shows_its_tensors(tmp_path: Path) -> None:
    shapes = ({0: torch.export.Dim.DYNAMIC},)
    program = torch.export.export(network(), (torch.zeros(2, 4),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "net.pt2")
    summary = sightline.load("pytorch").model_summary(tmp_path / "net.pt2")
    assert (summary.name, summary.parameters) == ("net", 23)
    assert summary.inputs == (TensorSpec("input", "float32", ("n", 4)),)
    assert [(one.dtype, one.shape) for one in summary.outputs] == [("float32", ("n", 2))]
    assert [(one.kind, one.output, one.parameters) for one in summary.layers] == [
        ("aten.linear.default", "(n, 3)", 15),
        ("aten.relu.default", "(n, 3)", 0),
        ("aten.linear.default", "(n, 2)", 8),
    ]


class Touch:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_summary_runs_no_code_of_an_exported_program(tmp_path: Path) -> None:
    trace, path = tmp_path / "executed", tmp_path / "net.pt2"
    torch.export.save(torch.export.export(network(), (torch.zeros(2, 4),)), path)
    torch.save((Touch(trace),), tmp_path / "evil.pt")
    evil = tmp_path / "evil.pt2"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(evil, "w") as target:
        for name in source.namelist():
            is_pickle = "/sample_inputs/" in name
            content = (tmp_path / "evil.pt").read_bytes() if is_pickle else source.read(name)
            target.writestr(name, content)
    with pytest.raises(WrongUseError, match=r"UNSAFE_MODEL: .*are pickled objects"):
        sightline.load("pytorch").model_summary(evil)
    assert not trace.exists()


def test_a_loader_is_loaded_for_its_summary() -> None:
    summary = sightline.load("pytorch").model_summary(
        network, example_inputs=np.zeros((2, 4), "f4"), name="net"
    )
    assert (summary.name, summary.origin, summary.parameters) == ("net", "torch Sequential", 23)
    assert [one.kind for one in summary.layers] == ["Linear", "ReLU", "Linear"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model_shows_layers_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    model = keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(3, name="one"), keras.layers.Softmax()]
    )
    model.save(tmp_path / "small.keras")
    summary = sightline.load("keras").model_summary(tmp_path / "small.keras")
    assert (summary.name, summary.parameters) == ("small", model.count_params())
    assert [(one.dtype, one.shape) for one in summary.inputs] == [("float32", ("n", 4))]
    assert summary.outputs == (TensorSpec("output", "float32", ("n", 3)),)
    first = summary.layers[0]
    assert (first.name, first.kind, first.output) == ("one", "Dense", "(n, 3)")
    with pytest.raises(
        WrongUseError, match=r"WRONG_MODEL_SOURCE: .* a dict. It takes a keras\.Model"
    ):
        sightline.load("keras").model_summary({})
    code = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)])
    code.save(tmp_path / "code.keras")
    with pytest.raises(WrongUseError, match=r"UNSAFE_MODEL: .* layer with Python code"):
        sightline.load("keras").model_summary(tmp_path / "code.keras")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model_of_a_class_of_its_own_is_shown_after_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    class Own(keras.Model):  # type: ignore[misc] # keras has no types
        def __init__(self) -> None:
            super().__init__(name="own")
            self.dense = keras.layers.Dense(3)

        def call(self, x: object) -> object:
            return self.dense(x)

    model = Own()
    plugin = sightline.load("keras")
    with pytest.raises(sightline.SightlineError, match=r"EXPORT_FAILED: .*'own'.* Call it once"):
        plugin.model_summary(model)
    model(np.zeros((1, 4), "f4"))
    summary = plugin.model_summary(model)
    assert (summary.name, summary.parameters) == ("own", 4 * 3 + 3)
    assert [one.shape for one in summary.inputs] == [("n", 4)]
    assert [one.shape for one in summary.outputs] == [("n", 3)]


def test_example_inputs_that_do_not_fit_are_one_sentence() -> None:
    plugin = sightline.load("pytorch")
    message = (
        r"INVALID_OPTION: Sequential cannot run with example_inputs \(float32 \(2, 5\)\): "
        r"RuntimeError: .*mat1 and mat2"
    )
    with pytest.raises(WrongUseError, match=message):
        plugin.model_summary(network(), example_inputs=np.zeros((2, 5), "f4"))
    with pytest.raises(WrongUseError, match="INVALID_OPTION: Sequential cannot run with example_"):
        plugin.model_summary(network(), example_inputs=["text"])
    with pytest.raises(WrongUseError, match=r"INVALID_OPTION: heads is 'classes'\. It must be a"):
        plugin.model_summary(network(), heads="classes")  # type: ignore[arg-type]
    with pytest.raises(WrongUseError, match=r"INVALID_OPTION: labels is 'ab'\. It must be a list"):
        plugin.model_summary(network(), labels="ab")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model_has_the_outputs_of_its_converted_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    x = keras.Input((4,), name="x")
    y, z = keras.layers.Dense(3)(x), keras.layers.Dense(2)(x)
    plugin = sightline.load("keras")
    for outputs, names in (([y], ["output"]), ([y, z], ["output_0", "output_1"])):
        check_outputs(plugin, keras.Model(x, outputs), names)
    check_outputs(plugin, keras.Model(x, {"a": y, "b": z}), ["a", "b"])
    check_outputs(plugin, keras.Model(x, {"a": y}), ["a"])


def check_outputs(plugin: sightline.Plugin, model: object, names: list[str]) -> None:
    outputs = Bundle.load(plugin.bundle(model)).manifest.signature.outputs
    assert [one.name for one in plugin.model_summary(model).outputs] == names
    assert plugin.model_summary(model).outputs == tuple(one.tensor for one in outputs)


def test_shapes_in_a_graph_are_no_parameters_and_invented_axes_have_no_name() -> None:
    made = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 18],
         producer_name: "tf2onnx", producer_version: "1.17.0 None">
        flat (float[n, 2, 2] x) => (float[n, 3] y) {
            rows = Reshape (x, shape)
            y = MatMul (rows, weights)
        }
    """)
    arrays = {"shape": np.array([-1, 4]), "weights": np.ones((4, 3), np.float32)}
    made.graph.initializer.extend(onnx.numpy_helper.from_array(a, n) for n, a in arrays.items())
    summary = sightline.load("onnx").model_summary(made)
    assert (summary.origin, summary.parameters) == ("ONNX opset 18, by tf2onnx 1.17.0", 12)
    assert [one.name for one in summary.inputs] == ["x"]
    assert summary.layers == (
        Layer("rows", "Reshape", "(?, 4)"),
        Layer("y", "MatMul", "(n, 3)", 12),
    )
