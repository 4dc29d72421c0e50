"""Whether a backend really runs on the devices: a tiny session is opened on each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sightline.backends.device import resolve_device
from sightline.backends.registry import find_backend
from sightline.doctor.finding import Finding

if TYPE_CHECKING:
    from sightline.backends.device import Device
    from sightline.doctor.examine import Request

# A graph with one node, y = Identity(x), float32 (1,).
_IDENTITY = bytes.fromhex(
    "080712003a370a100a017812017922084964656e746974791201745a0f0a0178120a0a0808011204"
    "0a020801620f0a0179120a0a08080112040a02080142040a00100d"
)


def check(request: Request) -> Iterator[Finding]:
    """Open a session on the requested device.

    Raises:
        SightlineError: DEVICE_UNAVAILABLE.
    """
    try:
        backend = find_backend(request.backend)
    except (ImportError, OSError) as error:
        yield Finding(
            "BACKEND_UNUSABLE",
            "blocker",
            f"backend '{request.backend}' is installed but cannot be imported: {error}",
            "Every task would fail.",
            "Install the package again, for this Python and this machine.",
        )
        return
    device = resolve_device(request.device, request.backend, None)
    if request.backend == "onnx":
        _open(device)
    able = "cpu and cuda" if backend.has_cuda() else "cpu"
    yield Finding("BACKEND", "ok", f"'{request.backend}' runs on {device}; usable here: {able}")


def _open(device: Device) -> None:
    from sightline.backends.onnx import open_graph

    open_graph(_IDENTITY, device, threads=1)
