"""A backend that runs the ONNX variant with the reference implementation of the package onnx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sightline.backends.registry import BackendEntry
from sightline.errors import WrongUseError

if TYPE_CHECKING:
    from sightline.backends.backend import Array
    from sightline.backends.device import Device
    from sightline.bundle.bundle import Bundle


class ReferenceSession:
    """A model in onnx.reference."""

    def __init__(self, graph: bytes, dtypes: Mapping[str, str]) -> None:
        import onnx
        from onnx.reference import ReferenceEvaluator

        self._evaluator: Any = ReferenceEvaluator(onnx.load_from_string(graph))
        self._dtypes = dtypes

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """See sightline.backends.backend.Session.run."""
        names = [name for name in wanted if name in self._evaluator.output_names]
        values = self._evaluator.run(names, dict(feeds))
        return {
            name: value.astype(self._dtypes[name], copy=False)
            for name, value in zip(names, values, strict=True)
        }


class ReferenceBackend:
    """onnx.reference on the CPU."""

    def open(
        self,
        bundle: Bundle,
        device: Device,
        threads: int,
        *,
        precision: str = "fp32",
        allow_code: bool = False,
    ) -> ReferenceSession:
        """See sightline.backends.backend.Backend.open."""
        if device.kind != "cpu" or bundle.manifest.onnx is None:
            raise WrongUseError("DEVICE_UNAVAILABLE", "backend reference runs on the CPU only.")
        graph = bundle.read_bytes(bundle.manifest.onnx.file)
        outputs = bundle.manifest.signature.outputs
        return ReferenceSession(graph, {one.name: one.tensor.dtype for one in outputs})

    def has_cuda(self) -> bool:
        """Return False."""
        return False


ENTRY = BackendEntry(
    name="reference",
    package="onnx",
    install="onnx",
    variant="onnx",
    precisions=("fp32",),
    load=ReferenceBackend,
    devices=("cpu",),
)
