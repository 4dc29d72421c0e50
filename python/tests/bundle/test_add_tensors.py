"""Graphs of any tensors become bundles: their axes, batches, dtypes, outputs and heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from sightline.bundle.add_tensors import add_tensors
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.from_onnx import from_onnx
from sightline.bundle.golden import read_golden
from sightline.bundle.tensor_request import TensorRequest
from sightline.errors import SightlineError, WrongUseError

from .tensor_graphs import add, parse, run_model, tensors


def test_a_named_axis_is_free_and_its_name_is_kept(tmp_path: Path) -> None:
    added = add(
        "g (float[batch, tokens, 3] x) => (float[batch, tokens, 3] twice, float[batch, 3] sum) {"
        "  twice = Add(x, x)  axes = Constant<value = int64[1] {1}>()"
        "  sum = ReduceSum<keepdims = 0>(x, axes) }",
        tmp_path,
    )
    assert tensors(added) == {
        "x": ("float32", ("n", "tokens", 3), "tensor"),
        "twice": ("float32", ("n", "tokens", 3), "tensor"),
        "sum": ("float32", ("n", 3), "vector"),
    }
    assert added.notes == ()
    for rows, length in ((1, 1), (5, 9)):
        x = np.ones((rows, length, 3), np.float32)
        assert run_model(added.bundle, x=x)["sum"].tolist() == [[length] * 3] * rows


def test_axes_without_names_get_one_name_if_only_equal_lengths_run(tmp_path: Path) -> None:
    added = add(
        "g (float[?, ?] a, float[?, ?] b, float[?, ?] c) => (float[?, ?] ab, float[?, ?] c2) {"
        "  ab = Add(a, b)  c2 = Neg(c) }",
        tmp_path,
    )
    shapes = {name: shape for name, (_, shape, _) in tensors(added).items()}
    assert shapes["a"] == shapes["b"] == shapes["ab"] == ("n", "a_1")
    assert shapes["c"] == shapes["c2"] == ("n", "c_1")


def test_an_axis_that_runs_with_one_length_only_is_fixed(tmp_path: Path) -> None:
    added = add(
        "g (float[n, width] x) => (float[n, 2] y) {"
        "  w = Constant<value = float[6, 2] {1,2,3,4,5,6,7,8,9,10,11,12}>()  y = MatMul(x, w) }",
        tmp_path,
    )
    assert tensors(added)["x"] == ("float32", ("n", 6), "tensor")
    assert added.notes == ("axis width is fixed: the model runs only with the length 6",)


def test_the_shapes_of_outputs_are_found_by_running(tmp_path: Path) -> None:
    """The file declares no shape for `half`, and a wrong one for `flat`."""
    graph = parse(
        "g (float[n, 1, h, w] x) => (float half, float[n, 99] flat, float[n, z] two) {"
        "  half = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)"
        "  axes = Constant<value = int64[2] {2, 3}>()"
        "  mean = ReduceMean(x, axes)  flat = Flatten(mean)  two = Concat<axis = 1>(flat, flat) }"
    )
    graph.graph.output[0].type.tensor_type.ClearField("shape")
    found = tensors(add(graph, tmp_path))
    assert found["x"][1] == ("n", 1, "h", "w")
    assert found["half"][1] == ("n", 1, "half_2", "half_3")
    assert found["flat"][1] == ("n", 1)
    assert found["two"][1] == ("n", 2)


def test_an_axis_that_changes_only_with_long_rows_is_free(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 1, 1, w] x) => (float[n, 1, 1, steps] y) {"
        "  y = MaxPool<kernel_shape = [1, 32], strides = [1, 96]>(x) }",
        tmp_path,
    )
    assert tensors(added)["y"][1] == ("n", 1, 1, "steps")
    x = np.arange(300, dtype=np.float32).reshape(1, 1, 1, 300)
    assert run_model(added.bundle, x=x)["y"].ravel().tolist() == [31, 127, 223]


RESHAPED = (
    "g (float[{batch}, 2, 3] x) => (float[{batch}, 6] y) {{"
    "  shape = Constant<value = int64[2] {{{batch}, 6}}>()  y = Reshape(x, shape) }}"
)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_fixed_batch_is_freed(tmp_path: Path, batch: int) -> None:
    added = add(RESHAPED.format(batch=batch), tmp_path)
    assert added.bundle.manifest.most_rows is None
    x = np.arange(30, dtype=np.float32).reshape(5, 2, 3)
    assert np.array_equal(run_model(added.bundle, x=x)["y"], x.reshape(5, 6))


# The values pass a shape without the batch axis, which cannot follow another batch size.
SEALED = (
    "g (float[{batch}, 3] x) => (float[{batch}, 3] y) {{"
    "  all = Constant<value = int64[1] {{{size}}}>()  flat = Reshape(x, all)"
    "  shares = Softmax<axis = 0>(flat)"
    "  shape = Constant<value = int64[2] {{{batch}, 3}}>()  y = Reshape(shares, shape) }}"
)


def test_a_batch_of_one_that_cannot_be_freed_runs_row_by_row(tmp_path: Path) -> None:
    added = add(SEALED.format(batch=1, size=3), tmp_path)
    manifest = added.bundle.manifest
    assert (manifest.most_rows, manifest.golden.rows) == (1, 4)
    assert added.notes == ("rows run one by one: its batch size is fixed at 1",)
    inputs, outputs = read_golden(added.bundle)
    shares = np.exp(inputs["x"]) / np.exp(inputs["x"]).sum(axis=1, keepdims=True)
    assert np.abs(outputs["y"] - shares).max() < 1e-6


def test_another_fixed_batch_that_cannot_be_freed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"^FIXED_BATCH: .* made for batches of 3 and cannot"):
        add(SEALED.format(batch=3, size=9), tmp_path)
    assert not (tmp_path / "models" / "m").exists()


def test_rows_that_influence_each_other_run_one_by_one(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 3] x) => (float[n, 3] y) {"
        "  axes = Constant<value = int64[1] {0}>()  m = ReduceMax(x, axes)  y = Sub(x, m) }",
        tmp_path,
    )
    assert added.bundle.manifest.most_rows == 1
    (note,) = added.notes
    assert note.startswith("rows run one by one: rows influence each other (its output 'y' differs")
    assert not read_golden(added.bundle)[1]["y"].any()  # a row alone is its own largest


def test_an_output_whose_length_depends_on_the_values_has_a_free_axis(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 40] x) => (float[a, b] y) {"
        "  zero = Constant<value = float {0}>()  positive = Greater(x, zero)"
        "  all = Constant<value = int64[1] {-1}>()  first = Constant<value = int64[1] {0}>()"
        "  line = Reshape(x, all)  which = Reshape(positive, all)"
        "  kept = Compress<axis = 0>(line, which)  y = Unsqueeze(kept, first) }",
        tmp_path,
    )
    assert added.bundle.manifest.most_rows == 1
    assert tensors(added)["y"][1] == ("n", "y_1")


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 21, 26])
def test_every_opset_from_9_is_added(tmp_path: Path, opset: int) -> None:
    graph = parse(
        "g (float[n, 2] x) => (float[n, 2] y) {"
        "  w = Constant<value = float[2, 2] {1, 2, 3, 4}>()  z = MatMul(x, w)  y = Relu(z) }",
        opset,
    )
    added = add(graph, tmp_path)
    assert added.bundle.manifest.onnx is not None
    assert added.bundle.manifest.onnx.opset == opset
    found = run_model(added.bundle, x=np.array([[1, 1], [-1, 0]], np.float32))
    assert found["y"].tolist() == [[4, 6], [0, 0]]


def test_an_older_opset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match="BAD_ONNX: 'g': its opset 8 is older than 9"):
        add(parse("g (float[n, 2] x) => (float[n, 2] y) { y = Relu(x) }", 8), tmp_path)


def test_dtypes_are_kept(tmp_path: Path) -> None:
    added = add(
        "g (float16[n, 3] half, bool[n] flag, int64[n, 2] id, double[n] wide, uint8[n, 2] small)"
        " => (float16[n, 3] half2, bool[n] other, int64[n, 2] id2, double[n] wide2, uint8[n, 2] s2)"
        "{ half2 = Add(half, half)  other = Not(flag)  id2 = Add(id, id)  wide2 = Neg(wide)"
        "  s2 = Identity(small) }",
        tmp_path,
    )
    assert tensors(added) == {
        "half": ("float16", ("n", 3), "tensor"),
        "flag": ("bool", ("n",), "tensor"),
        "id": ("int64", ("n", 2), "tensor"),
        "wide": ("float64", ("n",), "tensor"),
        "small": ("uint8", ("n", 2), "tensor"),
        "half2": ("float16", ("n", 3), "vector"),
        "other": ("bool", ("n",), "tensor"),
        "id2": ("int64", ("n", 2), "tensor"),
        "wide2": ("float64", ("n",), "tensor"),
        "s2": ("uint8", ("n", 2), "tensor"),
    }


LOOKUP = (
    "g (int64[n, tokens] ids, int64[n, tokens] attention_mask) => (float[n, tokens, 1] y) {"
    "  table = Constant<value = float[7, 1] {0, 1, 2, 3, 4, 5, 6}>()  found = Gather(table, ids)"
    "  real = Cast<to = 1>(attention_mask)  axis = Constant<value = int64[1] {-1}>()"
    "  column = Unsqueeze(real, axis)  y = Mul(found, column) }"
)


def test_test_values_of_integers_fit_a_table_whose_length_is_unknown(tmp_path: Path) -> None:
    inputs, _ = read_golden(add(LOOKUP, tmp_path).bundle)
    assert (inputs["ids"].min(), inputs["ids"].max()) == (0, 1)
    assert set(inputs["attention_mask"].ravel()) == {0, 1}


def test_the_range_of_test_values_can_be_given(tmp_path: Path) -> None:
    inputs, outputs = read_golden(add(LOOKUP, tmp_path, ranges={"ids": (2, 7)}).bundle)
    assert (inputs["ids"].min(), inputs["ids"].max()) == (2, 6)
    assert np.array_equal(outputs["y"][..., 0], inputs["ids"] * inputs["attention_mask"])
    with pytest.raises(
        WrongUseError, match=r"BAD_ONNX: 'g': it does not run on test rows .* --range"
    ):
        add(LOOKUP, tmp_path / "b", ranges={"ids": (8, 9)})
    with pytest.raises(WrongUseError, match=r"UNKNOWN_INPUT: 'id'. Known: .*ids"):
        add(LOOKUP, tmp_path / "b", ranges={"id": (2, 7)})
    for wrong in ((7, 2), (0, 2.0**70)):
        with pytest.raises(
            WrongUseError, match=r"INVALID_OPTION: --range is 'ids=.* int64 numbers"
        ):
            add(LOOKUP, tmp_path / "b", ranges={"ids": wrong})


def test_ranges_of_another_framework_are_refused(tmp_path: Path) -> None:
    from sightline.bundle.convert import convert_file, convert_object

    request = TensorRequest("a", ranges={"x": (0, 1)})
    with pytest.raises(
        WrongUseError, match=r"INVALID_OPTION: --range is 'x'. Only a model of ONNX"
    ):
        convert_file("sklearn", tmp_path / "none.skops", request)
    with pytest.raises(
        WrongUseError, match=r"INVALID_OPTION: --range is 'x'. Only a model of ONNX"
    ):
        convert_object({}, request)


def test_weights_in_a_file_beside_the_graph_are_copied_into_it(tmp_path: Path) -> None:
    graph = parse(
        "g (float[n, 2] x) => (float[n, 2] y) <float[2, 2] w = {1, 2, 3, 4}> { y = MatMul(x, w) }"
    )
    (weight,) = graph.graph.initializer
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight), "w"))
    onnx.save(graph, tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0)
    assert len(list(tmp_path.iterdir())) == 2
    added = add(tmp_path / "m.onnx", tmp_path)
    assert run_model(added.bundle, x=np.eye(2, dtype=np.float32))["y"].tolist() == [[1, 2], [3, 4]]
    assert added.bundle.manifest.parameters == 4
    assert added.bundle.manifest.source == "ONNX, m.onnx"


def test_a_framework_with_other_results_is_refused(tmp_path: Path) -> None:
    graph = parse("g (float[n, 2] x) => (float[n, 2] y) { y = Neg(x) }")
    x = np.ones((4, 2), np.float32)
    wrong = ConvertedModel(graph.SerializeToString(), {"x": x}, {"y": -x + 0.1}, "Other 1.0", 0)
    with pytest.raises(SightlineError, match=r"MODEL_VARIANTS_DISAGREE: the onnx variant of m"):
        add_tensors(wrong, TensorRequest("m"), tmp_path)
    one_row = ConvertedModel(graph.SerializeToString(), {"x": x[:1]}, {"y": -x[:1]}, "Other 1.0", 0)
    added = add_tensors(one_row, TensorRequest("m"), tmp_path)
    assert added.bundle.manifest.source == "Other 1.0"
    assert added.bundle.manifest.golden.rows == 1
    assert added.bundle.manifest.most_rows is None


POOLED = (
    "g (float[n, 3, h, w] x) => (float[n, 2] y) {"
    "  pool = GlobalAveragePool(x)  flat = Flatten(pool)"
    "  k = Constant<value = float[3, 2] {1, 0, 0, 1, 1, 1}>()  y = MatMul(flat, k) }"
)


def test_the_same_graph_gives_the_same_bundle_and_a_name_is_used_once(tmp_path: Path) -> None:
    first, second = (add(POOLED, tmp_path / place).bundle for place in ("a", "b"))
    assert first.sha256 == second.sha256
    converted = from_onnx(parse(POOLED))
    with pytest.raises(WrongUseError, match=r"MODEL_EXISTS: .* Use --overwrite"):
        add_tensors(converted, TensorRequest("m"), tmp_path / "a" / "models")
    replaced = add_tensors(
        converted, TensorRequest("m", description="new"), tmp_path / "a" / "models", "replace"
    )
    assert replaced.bundle.manifest.description == "new"
