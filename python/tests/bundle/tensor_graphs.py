"""ONNX graphs written as text, and the bundles made from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from sightline.backends.backend import Array
from sightline.backends.device import Device
from sightline.backends.onnx import BACKEND as ONNX
from sightline.bundle.add_tensors import AddedModel, add_tensors
from sightline.bundle.bundle import Bundle
from sightline.bundle.from_onnx import from_onnx
from sightline.bundle.signature import Input, Output
from sightline.bundle.tensor_request import TensorRequest
from sightline.bundle.verify import verify_bundle


def parse(text: str, opset: int = 18) -> onnx.ModelProto:
    """Read a graph such as `g (float[n, 4] x) => (float[n, 4] y) { y = Neg(x) }`."""
    header = f'<ir_version: 8, opset_import: ["": {opset}, "ai.onnx.ml": 3]>'
    return onnx.parser.parse_model(f"{header}\n{text}")


def add(graph: str | onnx.ModelProto | Path, folder: Path, **choices: Any) -> AddedModel:  # noqa: ANN401
    """Add a graph as the model `m`, and verify the bundle."""
    request = TensorRequest("m", **choices)
    source = parse(graph) if isinstance(graph, str) else graph
    converted = from_onnx(source, request.outputs, request.ranges, request.images)
    added = add_tensors(converted, request, folder / "models")
    assert {check.outcome for check in verify_bundle(added.bundle)} == {"ok"}
    return added


def tensors(added: AddedModel) -> dict[str, tuple[str, tuple[int | str, ...], str]]:
    """Return dtype, shape and kind of each input and output, by name."""
    signature = added.bundle.manifest.signature
    both: list[Input | Output] = [*signature.inputs, *signature.outputs]
    return {one.tensor.name: (one.tensor.dtype, one.tensor.shape, one.kind) for one in both}


def run_model(bundle: Bundle, **inputs: Array) -> Mapping[str, Array]:
    """Run a bundle's ONNX graph on one batch, and return all outputs by name."""
    names = [one.name for one in bundle.manifest.signature.outputs]
    feeds = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
    return ONNX.open(bundle, Device("cpu"), 1).run(feeds, names)
