"""Models loaded once per process: a warm worker runs many tasks, and may be given another GPU."""

from __future__ import annotations

import os
import sys
import threading

from sightline.backends.consent import require_consent
from sightline.backends.device import Device
from sightline.backends.protocol import Session
from sightline.backends.registry import find_backend, require_supported, require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision

_sessions: dict[tuple[str, str, Device, Precision], Session] = {}
_lock = threading.Lock()


def open_session(
    bundle: Bundle,
    backend: str,
    device: Device,
    threads: int,
    *,
    precision: Precision = "fp32",
    allow_code: bool = False,
) -> Session:
    """The process's session for this bundle, backend, device and precision; loaded once.

    Each real load writes one line to stderr. A second call with other `threads` gets the session
    as it was first loaded.

    Args:
        bundle: Its sha256 is the key, so a bundle moved to another folder is not loaded again.
        backend: onnx, pytorch or openvino.
        device: From `resolve_device`.
        threads: CPU threads within one operator, at least 1.
        precision: Of its numbers; whether that is good enough, `require_precision` asks.
        allow_code: Whether the bundle may name code of any package; needed each time, for a
            session that is open already too.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED, UNKNOWN_BACKEND, MISSING_PACKAGE, NO_VARIANT,
            UNSUPPORTED_PRECISION, NOT_CALIBRATED or INVALID_BUNDLE.
        SightlineError: DEVICE_UNAVAILABLE.
    """
    variant = bundle.manifest.pytorch
    if backend == "pytorch" and variant is not None:
        require_consent(bundle.name, variant.architecture, allow_code=allow_code)
    key = (bundle.sha256, backend, device, precision)
    with _lock:
        session = _sessions.get(key)
        if session is None:
            require_variant(bundle, backend)
            require_supported(backend, precision)
            session = find_backend(backend).open(
                bundle, device, threads, precision=precision, allow_code=allow_code
            )
            _sessions[key] = session
            way = backend if precision == "fp32" else f"{backend} {precision}"
            sys.stderr.write(
                f"sightline: loaded {bundle.name} ({way}, {device}, sha256 "
                f"{bundle.sha256[:12]}) in process {os.getpid()}\n"
            )
    return session
