import numpy as np
import onnx
import pytest

from sightline.backends.device import Device
from sightline.backends.onnx import open_graph
from sightline.bundle.bundle import Bundle
from sightline.calibrate.quantize import quantize
from sightline.errors import SightlineError

IMAGES = np.random.default_rng(5).integers(0, 256, (32, 8, 8, 3), np.uint8)


def made_from(bundle: Bundle) -> bytes:
    return quantize(bundle.read_bytes("model.onnx"), IMAGES, lambda done, steps: None)


def scores(graph: bytes, images: np.ndarray = IMAGES) -> np.ndarray:
    found: np.ndarray = open_graph(graph, Device("cpu"), 1).run(None, {"images": images})[0]
    return found


def test_the_int8_graph_gives_nearly_the_same_numbers(convolution: Bundle) -> None:
    expected = scores(convolution.read_bytes("model.onnx"))

    found = scores(made_from(convolution))

    assert found == pytest.approx(expected, abs=0.5)  # of about 5
    assert found.mean(axis=0) == pytest.approx(expected.mean(axis=0), abs=0.05)


def test_weights_are_int8_by_channel_and_the_normalisation_stays_float(convolution: Bundle) -> None:
    graph = onnx.load_from_string(made_from(convolution)).graph

    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    weight = next(one for name, one in constants.items() if name.startswith("weight_quantized"))
    quantised = [node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"]
    assert weight.dtype == np.int8
    assert constants["weight_scale"].shape == (3,)
    assert "pixels" not in quantised
    assert "first" not in quantised
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8


def test_the_same_images_make_the_same_graph(convolution: Bundle) -> None:
    assert made_from(convolution) == made_from(convolution)


def test_quantize_reports_its_progress(convolution: Bundle) -> None:
    steps: list[tuple[int, int]] = []

    quantize(convolution.read_bytes("model.onnx"), IMAGES, lambda *step: steps.append(step))

    assert steps == [(0, 4), (2, 4), (3, 4), (4, 4)]


def test_a_graph_without_weights_cannot_be_made_int8(colour_bundle: object) -> None:
    bundle = Bundle.load(str(colour_bundle))

    with pytest.raises(SightlineError, match=r"CANNOT_QUANTIZE: .*no convolution"):
        made_from(bundle)
