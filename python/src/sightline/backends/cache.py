"""Models loaded once per process: a warm worker runs many tasks, and may be given another GPU."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from dataclasses import dataclass, field

from sightline.backends.backend import Float32Array, Session, UInt8Array
from sightline.backends.consent import require_consent
from sightline.backends.device import Device
from sightline.backends.registry import find_backend, require_supported, require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision

# What a worker keeps of models that nobody uses, one that is about to be loaded included: enough
# for a session that takes turns with a few, and not every version that a model ever had.
MAX_IDLE_SESSIONS = 4
MAX_IDLE_BYTES = 2 * 1024**3

_Key = tuple[str, str, Device, Precision]


@dataclass(frozen=True, eq=False)
class SharedSession:
    """A session of the cache, as one caller holds it: it stays loaded while this object lives."""

    session: Session

    def run(self, images: UInt8Array) -> dict[str, Float32Array]:
        """See `protocol.Session.run`."""
        return self.session.run(images)


@dataclass(frozen=True)
class _Entry:
    session: Session
    model_bytes: int
    holders: weakref.WeakSet[SharedSession] = field(default_factory=weakref.WeakSet)


_sessions: dict[_Key, _Entry] = {}  # the one that was asked for last is the last
_lock = threading.Lock()


def open_session(
    bundle: Bundle,
    backend: str,
    device: Device,
    threads: int,
    *,
    precision: Precision = "fp32",
    allow_code: bool = False,
) -> SharedSession:
    """The process's session for this bundle, backend, device and precision; loaded once.

    Each real load writes one line to stderr. A second call with other `threads` gets the session
    as it was first loaded. Before a load, sessions that nobody holds are let go, the longest unused
    first, until at most 3 of at most 2 GiB of model files remain. A session that somebody holds
    is never let go, and does not count.

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
        SightlineError: DEVICE_UNAVAILABLE or OUT_OF_MEMORY.
    """
    variant = bundle.manifest.pytorch
    if backend == "pytorch" and variant is not None:
        require_consent(bundle.name, variant.architecture, allow_code=allow_code)
    key = (bundle.sha256, backend, device, precision)
    with _lock:
        entry = _sessions.pop(key, None)
        if entry is None:
            require_variant(bundle, backend)
            require_supported(backend, precision)
            _let_go()
            session = find_backend(backend).open(
                bundle, device, threads, precision=precision, allow_code=allow_code
            )
            entry = _Entry(session, _model_bytes(bundle))
            way = backend if precision == "fp32" else f"{backend} {precision}"
            sys.stderr.write(
                f"sightline: loaded {bundle.name} ({way}, {device}, sha256 "
                f"{bundle.sha256[:12]}) in process {os.getpid()}\n"
            )
        _sessions[key] = entry
        held = SharedSession(entry.session)
        entry.holders.add(held)
    return held


def _let_go() -> None:
    """Make place for one more among the sessions that nobody holds."""
    idle = idle_bytes = 0
    for key, entry in reversed(list(_sessions.items())):
        if entry.holders:
            continue
        idle += 1
        idle_bytes += entry.model_bytes
        if idle >= MAX_IDLE_SESSIONS or idle_bytes > MAX_IDLE_BYTES:
            del _sessions[key]


def _model_bytes(bundle: Bundle) -> int:
    """Of the bundle's largest file, which is what a session holds of it, about."""
    if not bundle.path.is_dir():
        return bundle.path.stat().st_size
    files = (bundle.path / file for file in bundle.manifest.files)
    return max((file.stat().st_size for file in files if file.is_file()), default=0)
