"""The plugin of TensorFlow: a SavedModel's folder, or a loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.backends.backend import Array
from sightline.plugins.converting_plugin import ConvertingPlugin


class TensorflowPlugin(ConvertingPlugin):
    """Models of TensorFlow.

    A SavedModel becomes an ONNX graph by tf2onnx, which may be in an environment of its own. The
    workers need no TensorFlow for it. A loader runs TensorFlow in the workers, which needs
    `allow_code`.
    """

    name = "tensorflow"
    package = "onnx"  # TensorFlow itself may be in another environment
    kinds = "the folder of a SavedModel"
    suffixes = ("",)

    def takes(self, m: object) -> bool:
        """Return False: TensorFlow saves a model as a folder, which another process reads."""
        return False

    def run(self, model: Any, inputs: Mapping[str, Array]) -> object:  # noqa: ANN401
        """Call what a loader returned: one array, or several in the order of the inputs."""
        return model(*inputs.values())
