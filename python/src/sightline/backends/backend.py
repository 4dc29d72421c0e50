"""The interface of a backend, which opens a bundle on a device and runs batches of pixels."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision

UInt8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]


class Session(Protocol):
    """A loaded model; several threads may run batches at once."""

    def run(self, images: UInt8Array) -> dict[str, Float32Array]:
        """Run one batch.

        Args:
            images: (n, height, width, 3) uint8, RGB, contiguous, n at least 1; the height and
                width are those of `manifest.preprocessing.size`.

        Returns:
            The outputs by name, each (n, …) float32. `manifest.scores.name` is always present,
            (n, classes). Other outputs of the manifest are present if the variant has them.
        """
        ...


class Backend(Protocol):
    """A runtime, such as onnxruntime."""

    def open(
        self,
        bundle: Bundle,
        device: Device,
        threads: int,
        *,
        precision: Precision = "fp32",
        allow_code: bool = False,
    ) -> Session:
        """Load the bundle's variant for this backend; every byte is checked against its hash.

        Args:
            bundle: Must have the variant (`registry.require_variant`).
            device: Where to run; never changed silently.
            threads: CPU threads within one operator, at least 1. With 1, a batch uses one core.
            precision: A precision that the backend supports (`registry.require_supported`).
            allow_code: Whether the bundle may name code of any package; see `consent`.

        Raises:
            SightlineError: DEVICE_UNAVAILABLE.
            WrongUseError: INVALID_BUNDLE, if a file has changed; CODE_NOT_ALLOWED; NOT_CALIBRATED
                if `precision` is int8 and the bundle has no int8 graph.
        """
        ...

    def has_cuda(self) -> bool:
        """Whether this runtime and this machine can run on a GPU."""
        ...
