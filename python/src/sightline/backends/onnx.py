"""The ONNX backend, which uses onnxruntime and does not import torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from sightline.backends.backend import Array
from sightline.backends.device import (
    Device,
    cuda_device_bytes,
    cuda_device_count,
    unavailable,
)
from sightline.backends.graph_file import graph_file, has_external_data
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.errors import SightlineError, WrongUseError
from sightline.out_of_memory import raise_if_out_of_memory

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_NOWHERE = "/dev/null/nowhere"


@dataclass(frozen=True)
class OnnxSession:
    """A model in onnxruntime. Any number of threads may run it at the same time."""

    session: ort.InferenceSession
    dtypes: Mapping[str, str]  # of the signature's outputs that the graph has, by name

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """See `backend.Session.run`."""
        names = [name for name in wanted if name in self.dtypes]
        if not names:
            return {}  # onnxruntime computes all outputs for an empty list
        values = self.session.run(names, feeds)
        return {
            name: np.asarray(value, self.dtypes[name])
            for name, value in zip(names, values, strict=True)
        }


class OnnxBackend:
    """onnxruntime on the CPU or one CUDA device."""

    def open(
        self,
        bundle: Bundle,
        device: Device,
        threads: int,
        *,
        precision: Precision = "fp32",
        allow_code: bool = False,
    ) -> OnnxSession:
        """See `backend.Backend.open`."""
        if precision == "int8" and device.kind == "cuda":
            raise WrongUseError(
                "UNSUPPORTED_PRECISION",
                "backend onnx computes in int8 on the CPU only. Use --device cpu, or fp32.",
            )
        file = graph_file(bundle, precision)
        graph = bundle.read_bytes(file)
        try:
            session = open_graph(graph, device, threads)
        except SightlineError:
            raise
        except Exception as error:  # onnxruntime's errors have no common base class
            raise_if_out_of_memory(error, f"loading model {bundle.name}")
            raise WrongUseError(
                "INVALID_BUNDLE",
                f"{bundle.path}: onnxruntime {ort.__version__} rejects '{file}': "
                f"{' '.join(str(error).split())[:300]}",
            ) from error
        present = {output.name for output in session.get_outputs()}
        outputs = [one.tensor for one in bundle.manifest.signature.outputs if one.name in present]
        return OnnxSession(session, {one.name: one.dtype for one in outputs})

    def has_cuda(self) -> bool:
        """Whether this onnxruntime is a CUDA build and the driver sees a device."""
        return _CUDA in ort.get_available_providers() and cuda_device_count() > 0


def open_graph(graph: bytes, device: Device, threads: int) -> ort.InferenceSession:
    """Load a serialized graph with one inter-op thread and no spinning.

    Raises:
        SightlineError: DEVICE_UNAVAILABLE if onnxruntime would run it on another device.
        ValueError: If the graph stores weights in another file, or is not ONNX.
    """
    # onnxruntime would read such a file although its hash was not checked. Versions 1.22 and 1.23
    # read a file at an absolute path and ignore the folder setting below.
    if has_external_data(graph):
        raise ValueError("it stores weights in another file")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads take CPU time from other tasks: 16 CPU-ms per image instead of 11.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # A second protection: onnxruntime would search for such files in a folder that cannot exist.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", _NOWHERE
    )
    # onnxruntime also prints each error that it raises. The caller reports those errors. But the
    # reason why CUDA cannot start is only printed.
    options.log_severity_level = 3 if device.kind == "cuda" else 4
    providers: list[str | tuple[str, dict[str, int]]] = [_CPU]
    if device.kind == "cuda":
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()  # finds CUDA and cuDNN in the nvidia wheels
        providers.insert(0, (_CUDA, cuda_options(device)))
    session = ort.InferenceSession(graph, options, providers=providers)
    session.disable_fallback()
    if device.kind == "cuda" and _CUDA not in session.get_providers():
        # onnxruntime prints a warning and uses the CPU, which was not requested.
        raise unavailable("onnx", str(device), "onnxruntime could not start its CUDA provider")
    return session


def cuda_options(device: Device) -> dict[str, int]:
    """Return the options of the CUDA provider: the device, and its part of the memory in bytes.

    Without the limit, the first of several tasks could take all memory of a GPU that they share.
    """
    options = {"device_id": device.index}
    fraction, size = device.memory_fraction, cuda_device_bytes(device.index)
    if fraction is not None and size is not None:
        options["gpu_mem_limit"] = int(fraction * size)
    return options


BACKEND = OnnxBackend()
