"""The outputs and heads of graphs of any tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from sightline.errors import WrongUseError

from .tensor_graphs import add, parse, run_model, tensors

ZIPMAP = (
    "g (float[n, 2] x) => (int64[n] label, seq(map({key}, float)) scores) {{"
    "  p = Softmax(x)  label = ArgMax<axis = 1, keepdims = 0>(p)"
    "  scores = ai.onnx.ml.ZipMap<{labels}>(p) }}"
)


@pytest.mark.parametrize(
    ("key", "attribute", "labels"),
    [
        ("string", 'classlabels_strings = ["cat", "dog"]', ("cat", "dog")),
        ("int64", "classlabels_int64s = [7, 9]", ("7", "9")),
    ],
)
def test_a_zipmap_becomes_scores_of_its_labels(
    tmp_path: Path, key: str, attribute: str, labels: tuple[str, ...]
) -> None:
    added = add(ZIPMAP.format(key=key, labels=attribute), tmp_path)
    assert tensors(added)["scores"] == ("float32", ("n", 2), "classes")
    assert tensors(added)["label"] == ("int64", ("n",), "tensor")
    assert added.bundle.labels == labels
    found = run_model(added.bundle, x=np.zeros((1, 2), np.float32))
    assert found["scores"].tolist() == [[0.5, 0.5]]


def test_labels_of_the_user_replace_those_of_a_zipmap(tmp_path: Path) -> None:
    graph = ZIPMAP.format(key="int64", labels="classlabels_int64s = [0, 1]")
    assert add(graph, tmp_path, labels={"": ("no", "yes")}).bundle.labels == ("no", "yes")


def test_outputs_that_are_not_numbers_are_left_out_with_a_line(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 2] x, int64[n] code) => (float[n, 2] y, string[n] text, seq(float[n, 1]) parts"
        ", float[2, n] turned) {"
        "  y = Neg(x)  text = Cast<to = 8>(code)  parts = SplitToSequence<axis = 1>(x)"
        "  turned = Transpose(x) }",
        tmp_path,
    )
    assert sorted(tensors(added)) == ["x", "y"]
    assert added.notes == (
        "output text is left out: it is text, not numbers",
        "output parts is left out: it is a sequence, not numbers",
        "input code is left out: no output depends on it",
        "output turned is left out: its first axis is not the batch",
    )


def test_an_input_that_nothing_reads_is_left_out_with_a_line(tmp_path: Path) -> None:
    onnx.save(
        parse("g (float[n, 2] x, float[n, 2] unused) => (float[n, 2] y) { y = Neg(x) }"),
        tmp_path / "g.onnx",
    )
    added = add(tmp_path / "g.onnx", tmp_path)
    assert sorted(tensors(added)) == ["x", "y"]
    assert added.notes == ("input unused is left out: no output depends on it",)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (
            "g (string[n] x) => (float[n] y) { y = Cast<to = 1>(x) }",
            "its input 'x' is string; possible are float16,",
        ),
        (
            "g (float[n] x, float p) => (float[n] y) { y = Mul(x, p) }",
            "its input 'p' is one number for all rows, without a batch axis",
        ),
        (
            "g (float[n] x) => (seq(float[n]) y) { y = SequenceConstruct(x) }",
            "it has no output of numbers",
        ),
        (
            "g (float[n, 3] x) => (float[3] y) {"
            " axes = Constant<value = int64[1] {0}>() y = ReduceMax<keepdims = 0>(x, axes) }",
            "it has no output with a row for each input row",
        ),
        ("g (float[n] x) => (float[n] y) { y = Nothing(x) }", "it cannot be loaded: onnxruntime"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(
    tmp_path: Path, graph: str, reason: str
) -> None:
    with pytest.raises(WrongUseError) as raised:
        add(graph, tmp_path)
    assert raised.value.code == "BAD_ONNX"
    assert reason in raised.value.message


POOLED = (
    "g (float[n, 3, h, w] x) => (float[n, 2] y) {"
    "  pool = GlobalAveragePool(x)  flat = Flatten(pool)"
    "  k = Constant<value = float[3, 2] {1, 0, 0, 1, 1, 1}>()  y = MatMul(flat, k) }"
)


def test_a_value_inside_the_graph_can_be_an_output(tmp_path: Path) -> None:
    added = add(POOLED, tmp_path, outputs=("pool",), heads={"pool": "vector"})
    assert tensors(added)["pool_flat"] == ("float32", ("n", 3), "vector")
    x = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2)
    assert run_model(added.bundle, x=x)["pool_flat"].tolist() == [[1.5, 5.5, 9.5]]
    as_it_is = add(POOLED, tmp_path / "b", outputs=("pool",))
    assert tensors(as_it_is)["pool"] == ("float32", ("n", 3, 1, 1), "tensor")
    with pytest.raises(WrongUseError, match=r"UNKNOWN_OUTPUT: 'pol' is not .* Known: pool, "):
        add(POOLED, tmp_path / "c", outputs=("pol",))


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"heads": {"z": "vector"}}, "UNKNOWN_OUTPUT: 'z'. Known: y."),
        (
            {"heads": {"y": "classes"}},
            "WRONG_HEAD: output y has a classes head, which needs labels",
        ),
        ({"labels": {"": ("a", "b", "c")}}, "LABEL_COUNT_MISMATCH: there are 3 labels"),
        (
            {"heads": {"x2": "vector"}, "outputs": ("x2",)},
            "WRONG_HEAD: output x2: float32 (n, w) cannot have a vector head",
        ),
        (
            {"heads": {"x2": "classes"}, "outputs": ("x2",), "labels": {"x2": ("a", "b")}},
            "WRONG_HEAD: output x2: float32 (n, w) cannot have a classes head",
        ),
    ],
)
def test_a_head_that_does_not_fit_is_refused(
    tmp_path: Path, choices: dict[str, Any], error: str
) -> None:
    graph = (
        "g (float[n, w] x) => (float[n, 2] y) {"
        "  x2 = Neg(x)  axes = Constant<value = int64[1] {1}>()  s = ReduceSum(x2, axes)"
        "  y = Concat<axis = 1>(s, s) }"
    )
    with pytest.raises(WrongUseError) as raised:
        add(graph, tmp_path, **choices)
    assert str(raised.value).startswith(error)


def test_two_heads_of_classes_have_their_own_labels(tmp_path: Path) -> None:
    added = add(
        "g (float[n, 3] x) => (float[n, 3] kind, double[n, 1] ripe) {"
        "  kind = Mul(x, x)  axes = Constant<value = int64[1] {1}>()  s = ReduceSum(x, axes)"
        "  wide = Cast<to = 11>(s)  ripe = Sigmoid(wide) }",
        tmp_path,
        heads={"kind": "classes", "ripe": "classes"},
        labels={"kind": ("a", "b", "c"), "ripe": ("no", "yes")},
        activation="none",
        ranges={"x": (0.1, 0.2)},
    )
    assert tensors(added)["ripe_of_two"] == ("float32", ("n", 2), "classes")
    one, two = added.bundle.manifest.signature.class_outputs
    assert added.bundle.labels_of(one) == ("a", "b", "c")
    assert added.bundle.labels_of(two) == ("no", "yes")
