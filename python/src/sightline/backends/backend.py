"""The interface of a backend, which opens a bundle on a device and runs batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision

Array = npt.NDArray[Any]
UInt8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]


class Session(Protocol):
    """A loaded model. Several threads may run batches at once."""

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> Mapping[str, Array]:
        """Run one batch.

        Args:
            feeds: Every input of the signature by its name: (n, …), contiguous, with the
                signature's dtype and axes. n is at least 1, at most the manifest's `most_rows`, and
                the same for all. A free axis has one length in a batch, at least 1.
            wanted: Names of outputs of the signature. Other outputs need not be computed.

        Returns:
            The wanted outputs by name, each (n, …) with the signature's dtype and axes. An
            output that the bundle's variant does not have is omitted.
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
            bundle: A bundle with the variant, see `registry.require_variant`.
            device: The device to run on. The backend never uses another one silently.
            threads: CPU threads within one operator, at least 1. With 1, a batch uses one core.
            precision: A precision that the backend supports (`registry.require_supported`).
            allow_code: Whether the bundle may name code of any package; see `consent`.

        Raises:
            SightlineError: DEVICE_UNAVAILABLE.
            WrongUseError: INVALID_BUNDLE if a file has changed; CODE_NOT_ALLOWED; NOT_CALIBRATED
                if `precision` is int8 and the bundle has no int8 graph.
        """
        ...

    def has_cuda(self) -> bool:
        """Whether this runtime and this machine can run on a GPU."""
        ...
