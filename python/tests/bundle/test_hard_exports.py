"""Unusual ONNX files: those that cannot be used are refused with the reason and a remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, helper, numpy_helper

from sightline.bundle.bundle import Bundle
from sightline.bundle.signature import Classes
from sightline.cli.models import models

from .graphs import CLASSES, HEIGHT, WIDTH, by_hand, linear

SIZE, NORMAL = f"--resize {HEIGHT}x{WIDTH}", "--mean 0.5 --std 0.5"
Change = Callable[[onnx.ModelProto], None]


def add(folder: Path, path: Path, options: str = NORMAL, labels: int = CLASSES) -> Result:
    (folder / "labels.txt").write_text("".join(f"class {at}\n" for at in range(labels)))
    command = f"add m --onnx {path} --labels {folder}/labels.txt {SIZE} --models {folder}/models"
    return CliRunner().invoke(models, f"{command} {options}".split())


def changed(folder: Path, change: Change, **how: object) -> Path:
    """A linear model, edited."""
    path = linear(folder / "x.onnx", **how)  # type: ignore[arg-type]
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def ends(operators: str, **attributes: int) -> Change:
    """Append operators to the answer; the attributes are for the last one."""

    def change(model: onnx.ModelProto) -> None:
        name, last = "answer", operators.rsplit(maxsplit=1)[-1]
        for operator in operators.split():
            own: dict[str, Any] = attributes if operator == last else {}
            model.graph.node.append(helper.make_node(operator, [name], [operator], **own))
            name = operator
        kind = TensorProto.INT64 if last == "ArgMax" else TensorProto.FLOAT
        output = helper.make_tensor_value_info(name, kind, None)
        del model.graph.output[:]
        model.graph.output.append(output)

    return change


def scaled(factor: float) -> Change:
    def change(model: onnx.ModelProto) -> None:
        weight = next(one for one in model.graph.initializer if one.name == "weight")
        array = (numpy_helper.to_array(weight) * factor).astype(numpy_helper.to_array(weight).dtype)
        weight.CopyFrom(numpy_helper.from_array(array, "weight"))

    return change


def run(folder: Path, images: np.ndarray) -> np.ndarray:
    bundle = Bundle.load(folder / "models" / "m")
    session = ort.InferenceSession(bundle.read_bytes("model.onnx"))
    name = bundle.manifest.signature.require_classes("m").name
    (found,) = session.run([name], {session.get_inputs()[0].name: images})
    values: np.ndarray = found
    return values


def activation_of(bundle: Bundle) -> str:
    head = bundle.manifest.signature.require_classes("m").head
    assert isinstance(head, Classes)
    return head.activation


def images(rows: int = 5) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (rows, HEIGHT, WIDTH, 3), np.uint8)


def test_scores_within_0_and_1_that_do_not_sum_to_1_stop_with_the_choice(tmp_path: Path) -> None:
    path = changed(tmp_path, ends("Sigmoid"))

    refused = add(tmp_path, path)

    assert str(refused.exception).startswith("AMBIGUOUS_ACTIVATION: ")
    for choice in ("--activation none", "sigmoid", "softmax"):
        assert choice in str(refused.exception)
    for choice in ("none", "sigmoid", "softmax"):
        added = add(tmp_path, path, f"{NORMAL} --activation {choice} --overwrite")
        assert added.exit_code == 0, added.exception
        assert activation_of(Bundle.load(tmp_path / "models" / "m")) == choice


def test_logits_are_not_accepted_as_probabilities(tmp_path: Path) -> None:
    refused = add(tmp_path, changed(tmp_path, scaled(8)), f"{NORMAL} --activation none")

    assert str(refused.exception).startswith("BAD_ACTIVATION: ")
    assert "which are not probabilities" in str(refused.exception)
    assert "--activation softmax" in str(refused.exception)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_probabilities_are_not_distorted(tmp_path: Path, activation: str) -> None:
    path = linear(tmp_path / "x.onnx", ending="Softmax")

    refused = add(tmp_path, path, f"{NORMAL} --activation {activation}")

    assert str(refused.exception).startswith("BAD_ACTIVATION: ")
    assert "gives probabilities: within" in str(refused.exception)


@pytest.mark.parametrize("labels", [1, 2, 3])
def test_an_output_of_one_number_per_image_is_refused(tmp_path: Path, labels: int) -> None:
    path = changed(tmp_path, first_column)

    refused = add(tmp_path, path, labels=labels)

    if labels == 1:
        assert "there is only one label, so" in str(refused.exception)
        assert "Give two classes or more" in str(refused.exception)
    else:
        assert str(refused.exception).startswith("ONE_SCORE: ")
        assert "A regression is not supported" in str(refused.exception)


def first_column(model: onnx.ModelProto) -> None:
    """(n, 3) to (n, 1)."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "column"))
    model.graph.node.append(helper.make_node("Gather", ["answer", "column"], ["one"], axis=1))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("one", TensorProto.FLOAT, ["n", 1]))


def test_a_logit_of_one_number_makes_two_probabilities(tmp_path: Path) -> None:
    added = add(tmp_path, changed(tmp_path, first_column), f"{NORMAL} --activation sigmoid", 2)

    assert added.exit_code == 0, added.exception
    logits = by_hand(images(), (0.5,) * 3, (0.5,) * 3)[:, 0]
    positive = 1 / (1 + np.exp(-logits))
    assert run(tmp_path, images()) == pytest.approx(
        np.stack([1 - positive, positive], axis=1), abs=1e-5
    )
    assert activation_of(Bundle.load(tmp_path / "models" / "m")) == "none"


def test_a_number_outside_0_and_1_is_not_a_probability(tmp_path: Path) -> None:
    def far_apart(model: onnx.ModelProto) -> None:
        scaled(9)(model)
        first_column(model)

    path = changed(tmp_path, far_apart)
    refused = add(tmp_path, path, f"{NORMAL} --activation none", 2)

    assert str(refused.exception).startswith("BAD_ACTIVATION: ")


def test_class_numbers_are_not_accepted_as_scores(tmp_path: Path) -> None:
    refused = add(tmp_path, changed(tmp_path, ends("ArgMax", axis=1)))

    assert str(refused.exception).startswith("LABEL_COUNT_MISMATCH: ")
    assert "gives class numbers in its output 'ArgMax'" in str(refused.exception)
    assert "Export it without that step" in str(refused.exception)


def test_the_error_for_nan_outputs_states_nan(tmp_path: Path) -> None:
    refused = add(tmp_path, changed(tmp_path, scaled(float("nan"))))

    assert str(refused.exception).startswith("NOT_FINITE: ")
    assert "NaN or infinity in its output 'answer' for 4 of 4 test images" in str(refused.exception)


@pytest.mark.parametrize("factor", [1, 30, 1000])
def test_float16_is_checked_with_the_tolerance_of_float16(tmp_path: Path, factor: float) -> None:
    added = add(tmp_path, changed(tmp_path, scaled(factor), dtype="float16"))

    assert added.exit_code == 0, added.exception
    golden = Bundle.load(tmp_path / "models" / "m").manifest.golden
    expected = factor * by_hand(images(), (0.5,) * 3, (0.5,) * 3, "float16")
    assert np.abs(run(tmp_path, images()) - expected).max() < golden.tolerance
    assert golden.tolerance <= 0.01 * max(1, 2 * np.abs(expected).max())


@pytest.mark.parametrize("factor", [1, 1000])
def test_the_tolerance_grows_with_scores_that_are_large(tmp_path: Path, factor: float) -> None:
    added = add(tmp_path, changed(tmp_path, scaled(factor)))

    assert added.exit_code == 0, added.exception
    tolerance = Bundle.load(tmp_path / "models" / "m").manifest.golden.tolerance
    assert (tolerance == 0.001) == (factor == 1)
    assert tolerance <= 0.001 * factor


@pytest.mark.parametrize("options", [NORMAL, "--mean 0.5", "--std 0.5"])
def test_mean_and_std_are_refused_where_they_would_have_no_effect(
    tmp_path: Path, options: str
) -> None:
    refused = add(tmp_path, linear(tmp_path / "x.onnx", dtype="uint8"), options)

    assert str(refused.exception).startswith("BAD_PREPROCESSING: ")
    assert "would have no effect. Omit them" in str(refused.exception)


def test_a_file_that_takes_pixels_needs_no_mean_and_no_std(tmp_path: Path) -> None:
    added = add(tmp_path, linear(tmp_path / "x.onnx", dtype="uint8"), "")

    assert added.exit_code == 0, added.exception
    scale, bias = (
        Bundle.load(tmp_path / "models" / "m").manifest.signature.require_image("m").scale_and_bias
    )
    assert (scale, bias) == ([1, 1, 1], [0, 0, 0])
    described = CliRunner().invoke(models, ["describe", "m", "--models", f"{tmp_path}/models"])
    assert "the graph takes unchanged pixels, 0..255" in described.output
    unit = (1 / 255,) * 3
    assert run(tmp_path, images()) == pytest.approx(by_hand(images(), (0,) * 3, unit), abs=1e-3)


def test_two_possible_outputs_of_scores_are_refused(tmp_path: Path) -> None:
    def two(model: onnx.ModelProto) -> None:
        model.graph.node.append(helper.make_node("Neg", ["answer"], ["other"]))
        value = helper.make_tensor_value_info("other", TensorProto.FLOAT, ["n", CLASSES])
        model.graph.output.append(value)

    path = changed(tmp_path, two)
    refused = add(tmp_path, path)
    unknown = add(tmp_path, path, f"{NORMAL} --scores-output nobody")
    added = add(tmp_path, path, f"{NORMAL} --scores-output other")

    assert str(refused.exception).startswith("AMBIGUOUS_OUTPUT: ")
    assert "answer, other" in str(refused.exception)
    assert "UNKNOWN_OUTPUT: 'nobody'. Known: answer, other." in str(unknown.exception)
    assert added.exit_code == 0, added.exception
    expected = -by_hand(images(), (0.5,) * 3, (0.5,) * 3)
    assert run(tmp_path, images()) == pytest.approx(expected, abs=1e-5)


def test_a_graph_with_outputs_of_logits_and_of_their_probabilities_is_accepted(
    tmp_path: Path,
) -> None:
    def both(model: onnx.ModelProto) -> None:
        model.graph.node.append(helper.make_node("Softmax", ["answer"], ["probabilities"], axis=1))
        value = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])
        model.graph.output.append(value)

    added = add(tmp_path, changed(tmp_path, both))

    assert added.exit_code == 0, added.exception
    bundle = Bundle.load(tmp_path / "models" / "m")
    name = bundle.manifest.signature.require_classes("m").name
    assert (name, activation_of(bundle)) == ("probabilities", "none")


def test_a_second_input_that_is_read_is_refused(tmp_path: Path) -> None:
    def masked(model: onnx.ModelProto) -> None:
        model.graph.node.append(helper.make_node("Mul", ["answer", "mask"], ["masked"]))
        model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1]))
        model.graph.output[0].name = "masked"

    refused = add(tmp_path, changed(tmp_path, masked))

    assert str(refused.exception).startswith("BAD_ONNX: ")
    assert "it reads 2 inputs: input, mask. Export it with one input" in str(refused.exception)


def test_a_file_with_an_unknown_colour_axis_is_refused(tmp_path: Path) -> None:
    def shapeless(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.ClearField("shape")
        model.graph.node[0].op_type, model.graph.node[0].input[:] = "GlobalMaxPool", ["input"]
        del model.graph.node[0].attribute[:]
        del model.graph.node[1:]
        model.graph.node[0].output[0] = "answer"

    refused = add(tmp_path, changed(tmp_path, shapeless))

    assert "channels are first or last, and it runs both ways" in str(refused.exception)


def with_external_weight(folder: Path, location: str) -> Path:
    """Store the weight matrix in another file, after 8 other bytes."""

    def outside(model: onnx.ModelProto) -> None:
        weight = next(one for one in model.graph.initializer if one.name == "weight")
        (folder / "weights.bin").write_bytes(b"8 bytes!" + weight.raw_data)
        keys = {"location": location, "offset": "8", "length": str(len(weight.raw_data))}
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in keys.items():
            weight.external_data.add(key=key, value=value)

    return changed(folder, outside)


def test_weights_in_a_file_beside_the_model_are_put_inside(tmp_path: Path) -> None:
    added = add(tmp_path, with_external_weight(tmp_path, "weights.bin"))
    (tmp_path / "weights.bin").unlink()

    assert added.exit_code == 0, added.exception
    expected = by_hand(images(), (0.5,) * 3, (0.5,) * 3)
    assert run(tmp_path, images()) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("how", ["absolute", "folder", "link", "cut", "offset"])
def test_weights_anywhere_else_are_not_read(tmp_path: Path, how: str) -> None:
    file = tmp_path / "weights.bin"
    location = {"absolute": str(file), "folder": f"../{tmp_path.name}/weights.bin"}
    path = with_external_weight(tmp_path, location.get(how, "weights.bin"))
    if how == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    if how == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    if how == "offset":
        path.write_bytes(path.read_bytes().replace(b"\x12\x018", b"\x12\x01-"))

    refused = add(tmp_path, path)

    assert str(refused.exception).startswith("ONNX_EXTERNAL_DATA: ")
    assert "keeps the tensor 'weight' in another file" in str(refused.exception)
