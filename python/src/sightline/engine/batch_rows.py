"""The number of rows in a model batch: the user's, or the one that was measured for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sightline.engine.settings import DEFAULT_BATCH_ROWS

if TYPE_CHECKING:
    from sightline.backends.device import Device
    from sightline.bundle.manifest import Manifest

BatchRows = int | Literal["auto"]
AUTO: Literal["auto"] = "auto"


def batch_rows_for(wanted: BatchRows, manifest: Manifest, backend: str, device: Device) -> int:
    """Return the largest number of rows in a batch of a model.

    Args:
        wanted: The user's number. ``auto`` on a CPU is the number that was measured for the backend
            when the model was added. It is 32 if none was measured, and on a GPU, which needs more
            rows than a core of a CPU.
        manifest: The model.
        backend: Name of the backend that runs it.
        device: The device that it runs on.

    Returns:
        At least 1. The engine also keeps to the model's `most_rows`.
    """
    if wanted != AUTO:
        return wanted
    measured = manifest.batch_rows if device.kind == "cpu" else {}
    return measured.get(backend, DEFAULT_BATCH_ROWS)
