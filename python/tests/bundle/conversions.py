"""What the tests of conversions share: a graph's shapes, and its results in onnxruntime."""

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime

from sightline.backends.backend import Array
from sightline.bundle.converted_model import ConvertedModel


def shapes(content: bytes) -> dict[str, list[int | str]]:
    """The shapes of all inputs and outputs of a graph."""
    graph = onnx.load_from_string(content).graph
    return {
        one.name: [axis.dim_param or axis.dim_value for axis in one.type.tensor_type.shape.dim]
        for one in (*graph.input, *graph.output)
    }


def run(content: bytes, inputs: Mapping[str, Array]) -> dict[str, Array]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def assert_same(model: ConvertedModel, within: float = 1e-5) -> None:
    """onnxruntime computes what the framework computed for the test values."""
    found = run(model.onnx, model.inputs)
    assert found.keys() == model.outputs.keys()
    for name, value in model.outputs.items():
        assert found[name].dtype == value.dtype, name
        np.testing.assert_allclose(found[name], value, atol=within, rtol=within, err_msg=name)
