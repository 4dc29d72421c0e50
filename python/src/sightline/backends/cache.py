"""A cache of loaded models per process, because a reused worker runs many tasks."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sightline.backends.backend import Array, Session
from sightline.backends.consent import require_consent
from sightline.backends.device import Device
from sightline.backends.registry import backend_entry, find_backend
from sightline.backends.require_supported import require_supported, require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision

# Limits for unused models that stay loaded, including the model that is about to be loaded. They
# allow a session to alternate between a few models, but do not keep every version of a model.
MAX_IDLE_SESSIONS = 4
MAX_IDLE_BYTES = 2 * 1024**3

_Key = tuple[str, str, Device, Precision]


@dataclass(frozen=True, eq=False)
class SharedSession:
    """One caller's reference to a cached session, which stays loaded while this object exists."""

    session: Session

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> Mapping[str, Array]:
        """See `backend.Session.run`."""
        return self.session.run(feeds, wanted)


@dataclass(frozen=True)
class _Entry:
    session: Session
    model_bytes: int
    holders: weakref.WeakSet[SharedSession] = field(default_factory=weakref.WeakSet)


_sessions: dict[_Key, _Entry] = {}  # the most recently opened is last
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
    """Return this process's session for the bundle, backend, device and precision.

    Each model is loaded once. Each load writes one line to stderr. A second call with other
    `threads` returns the session with its first number of threads. Before a load, unused sessions
    are removed, the least recently opened first, until at most 3 with at most 2 GiB of model files
    remain. A session in use is never removed and does not count.

    Args:
        bundle: Its sha256 is the key, so a bundle moved to another folder is not loaded again.
        backend: The name of a backend.
        device: From `resolve_device`.
        threads: CPU threads within one operator, at least 1.
        precision: Numeric precision; `require_precision` checks that it was calibrated.
        allow_code: Whether the bundle may name code of any package. It is needed on each call,
            even if the session is already open.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED, UNKNOWN_BACKEND, MISSING_PACKAGE, NO_VARIANT,
            UNSUPPORTED_PRECISION, NOT_CALIBRATED or INVALID_BUNDLE.
        SightlineError: DEVICE_UNAVAILABLE or OUT_OF_MEMORY.
    """
    variant = bundle.manifest.pytorch
    if variant is not None and backend_entry(backend).variant == "pytorch":
        require_consent(bundle.name, variant.architecture, allow_code=allow_code)
    key = (bundle.sha256, backend, device, precision)
    with _lock:
        entry = _sessions.pop(key, None)
        if entry is None:
            require_variant(bundle, backend)
            require_supported(backend, precision)
            _let_go(device)
            session = find_backend(backend).open(
                bundle, device, threads, precision=precision, allow_code=allow_code
            )
            entry = _Entry(session, _model_bytes(bundle))
            mode = backend if precision == "fp32" else f"{backend} {precision}"
            sys.stderr.write(
                f"sightline: loaded {bundle.name} ({mode}, {device}, sha256 "
                f"{bundle.sha256[:12]}) in process {os.getpid()}\n"
            )
        _sessions[key] = entry
        held = SharedSession(entry.session)
        entry.holders.add(held)
    return held


def _let_go(device: Device) -> None:
    """Remove unused sessions until one more is within the limits.

    Sessions on another GPU are removed too: a Spark worker whose next task has another GPU must not
    keep memory of the first, which other tasks use now.
    """
    idle = idle_bytes = 0
    for key, entry in reversed(list(_sessions.items())):
        if entry.holders:
            continue
        if device.kind == key[2].kind == "cuda" and device != key[2]:
            del _sessions[key]
            continue
        idle += 1
        idle_bytes += entry.model_bytes
        if idle >= MAX_IDLE_SESSIONS or idle_bytes > MAX_IDLE_BYTES:
            del _sessions[key]


def _model_bytes(bundle: Bundle) -> int:
    """Return the size of the bundle's largest file, which is about a session's memory."""
    if not bundle.path.is_dir():
        return bundle.path.stat().st_size
    files = (bundle.path / file for file in bundle.manifest.files)
    return max((file.stat().st_size for file in files if file.is_file()), default=0)
