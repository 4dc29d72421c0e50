"""Runs an ONNX graph on test rows: all together, or in the batches that the graph is made for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime as ort

from sightline.backends.backend import Array
from sightline.backends.device import Device
from sightline.backends.onnx import open_graph

Arrays = Mapping[str, Array]


class RowRunner:
    """An ONNX graph in onnxruntime, for test rows.

    Args:
        graph: A model without external data.
        step: Rows of a batch of `alone`: 1, or the batch size that the graph is fixed to.
    """

    def __init__(self, graph: onnx.ModelProto, step: int = 1) -> None:
        self._session = open_graph(graph.SerializeToString(), Device("cpu"), 1)
        self.step = step
        self.outputs = [one.name for one in self._session.get_outputs()]

    def together(self, inputs: Arrays) -> dict[str, Array]:
        """Return the outputs for all rows as one batch. Outputs that are not tensors are omitted.

        Raises:
            Exception: onnxruntime's errors have no base of their own.
        """
        feeds = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
        found = self._session.run(None, feeds)
        pairs = zip(self.outputs, found, strict=True)
        return {name: value for name, value in pairs if isinstance(value, np.ndarray)}

    def parts(self, inputs: Arrays) -> list[dict[str, Array]]:
        """Return the outputs of each batch of `step` rows.

        Raises:
            Exception: onnxruntime's errors have no base of their own.
        """
        step = self.step
        return [
            self.together({name: value[at : at + step] for name, value in inputs.items()})
            for at in range(0, count_rows(inputs), step)
        ]

    def alone(self, inputs: Arrays) -> dict[str, Array]:
        """Return the outputs of all `parts`, joined.

        Outputs without a batch axis, or with a shape that differs from row to row, are omitted.

        Raises:
            Exception: onnxruntime's errors have no base of their own.
        """
        parts = self.parts(inputs)
        return {
            name: np.concatenate([part[name] for part in parts])
            for name, first in parts[0].items()
            if first.shape[:1] == (self.step,)
            and all(one[name].shape == first.shape for one in parts)
        }


def count_rows(inputs: Arrays) -> int:
    """Return the number of rows of a batch."""
    return len(next(iter(inputs.values())))


def reason_of(error: Exception) -> str:
    """Return the first 200 characters of an error of onnxruntime, on one line."""
    return f"onnxruntime {ort.__version__}: {' '.join(str(error).split())[:200]}"
