"""Small ONNX models for the tests of situations of other projects' test suites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnx.parser
import sightline


def write_model(
    text: str,
    folder: Path,
    *,
    opset: int = 17,
    **options: Any,  # noqa: ANN401
) -> str:
    """Add the model of a graph in ONNX's text form.

    Args:
        text: The graph, such as ``g (float[n, 2] x) => (float[n, 2] y) { y = Neg(x) }``.
        folder: Where the bundle is written. Its last part is the name of the model.
        opset: Version of the operators.
        options: Those of `sightline.add_model`.

    Returns:
        The path of the bundle.
    """
    header = f'<ir_version: 8, opset_import: ["" : {opset}, "ai.onnx.ml" : 3]>\n'
    graph = onnx.parser.parse_model(header + text)
    onnx.checker.check_model(graph)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return str(sightline.add_model(graph, folder.name, models=folder.parent, **options))
