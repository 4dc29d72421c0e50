"""The OpenVINO backend, which runs the ONNX graph on the CPU without torch and onnxruntime."""
# ruff: noqa: E402 - openvino is imported after its telemetry has been disabled

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# openvino imports its telemetry package, which reports over the network. If that package cannot be
# imported, openvino uses a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov

from sightline.backends.backend import Array
from sightline.backends.device import ANOTHER_BACKEND, Device, unavailable
from sightline.backends.graph_file import graph_file, has_external_data
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.errors import WrongUseError
from sightline.out_of_memory import raise_if_out_of_memory

# Always set: by default OpenVINO silently computes fp32 graphs in bf16 on a CPU that supports it.
# The floating-point parts of an int8 graph stay fp32.
_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


@dataclass(frozen=True)
class OpenvinoSession:
    """A model in OpenVINO with one compiled copy per concurrent thread and set of outputs.

    Concurrent calls of one compiled model wait for its streams, and the number of threads is not
    known here. A copy shares the weights and costs 0.15 s of CPU time. A compiled model always
    computes all of its outputs, so the copies for some outputs are made of a part of the graph.
    """

    core: ov.Core
    model: ov.Model
    settings: dict[str, object]
    dtypes: Mapping[str, str]  # of the signature's outputs that the graph has, by name
    idle: dict[tuple[str, ...], deque[ov.InferRequest]] = field(default_factory=dict)
    parts: dict[tuple[str, ...], ov.Model] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """See `backend.Session.run`."""
        names = tuple(name for name in self.dtypes if name in wanted)
        if not names:
            return {}
        idle = self.idle.setdefault(names, deque())
        try:
            request = idle.pop()
        except IndexError:
            request = self.compile(names)
        values = request.infer(dict(feeds), share_inputs=True)
        found = {name: np.array(values[name], self.dtypes[name]) for name in names}
        idle.append(request)
        return found

    def compile(self, names: tuple[str, ...]) -> ov.InferRequest:
        """Compile another copy of the part of the graph that computes those outputs."""
        with self.lock:  # a part adds an output to nodes that it shares with the model
            model = self.parts.get(names, self.model)
            if len(names) < len(model.outputs):
                ends = [model.output(name).node.input_value(0) for name in names]
                model = ov.Model(ends, model.get_parameters(), model.friendly_name)
            self.parts[names] = model
        return self.core.compile_model(model, "CPU", self.settings).create_infer_request()


class OpenvinoBackend:
    """OpenVINO on the CPU."""

    def open(
        self,
        bundle: Bundle,
        device: Device,
        threads: int,
        *,
        precision: Precision = "fp32",
        allow_code: bool = False,
    ) -> OpenvinoSession:
        """See `backend.Backend.open`."""
        if device.kind != "cpu":
            raise unavailable("openvino", str(device), "it runs on the CPU only", ANOTHER_BACKEND)
        file = graph_file(bundle, precision)
        graph = bundle.read_bytes(file)
        core = ov.Core()
        settings: dict[str, object] = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # With pinning, all workers of a machine would use the first core.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            model = _read_model(core, graph)
            signature = bundle.manifest.signature
            present = {name for output in model.outputs for name in output.names}
            outputs = [one.tensor for one in signature.outputs if one.name in present]
            session = OpenvinoSession(
                core, model, settings, {one.name: one.dtype for one in outputs}
            )
            first = (signature.classes or signature.outputs[0]).name
            names = (first,) if first in present else tuple(session.dtypes)
            session.idle[names] = deque([session.compile(names)])
        except (RuntimeError, ValueError, TypeError) as error:
            raise_if_out_of_memory(error, f"loading model {bundle.name}")
            raise WrongUseError(
                "INVALID_BUNDLE",
                f"{bundle.path}: openvino {ov.__version__} rejects '{file}': "
                f"{' '.join(str(error).split())[:300]}",
            ) from error
        return session

    def has_cuda(self) -> bool:
        """Return False: OpenVINO runs on the CPU only."""
        return False


def _read_model(core: ov.Core, graph: bytes) -> ov.Model:
    # OpenVINO would open the files that a graph names, and their hashes were not checked.
    if has_external_data(graph):
        raise ValueError("it stores weights in another file")
    return core.read_model(graph)


BACKEND = OpenvinoBackend()
