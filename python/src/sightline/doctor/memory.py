"""The model's files, and the memory that a run with it needs."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from sightline.bundle.bundle import Bundle
from sightline.bundle.find import find_bundle
from sightline.doctor.finding import Finding
from sightline.own_cores import own_cores

if TYPE_CHECKING:
    from sightline.doctor.examine import Request

_MIB = 1 << 20
# Peaks of docs/memory.md: the interpreter with its packages, and what a thread needs to decode.
_BASE_BYTES = 200 * _MIB
_DECODING_BYTES = 64 * _MIB
_COPIES_OF_BATCH = 4  # the rows, their float32 copy, and two layers of the network
_USUAL_AXIS = 256  # for an axis without a length
_DEFAULT_ROWS = 32


def check(request: Request) -> Iterator[Finding]:
    """Check the hash of every file of the model, and the memory for its batches.

    Raises:
        WrongUseError: UNKNOWN_MODEL, INVALID_BUNDLE or BUNDLE_CORRUPT.
    """
    bundle = find_bundle(request.model or "", request.models)
    for file in bundle.manifest.files:
        bundle.read_bytes(file)
    yield Finding("MODEL", "ok", f"{bundle.name}, sha256 {bundle.sha256[:12]}, in {bundle.path}")
    threads = request.threads or own_cores()
    rows = request.batch_rows or bundle.manifest.batch_rows.get(request.backend, _DEFAULT_ROWS)
    needed = needed_bytes(bundle, rows, threads)
    limit, what = _limit(request)
    text = f"{_mib(needed)} for {threads} threads with batches of {rows} rows; {what} {_mib(limit)}"
    if needed > limit:
        yield Finding(
            "MEMORY_TOO_SMALL",
            "blocker",
            text,
            "The worker would be killed, or stop with OUT_OF_MEMORY.",
            f"Use --batch-rows {max(1, rows // 4)} or fewer threads, or give the workers "
            f"{_mib(needed)}: spark.executor.memoryOverhead, or spark.executor.pyspark.memory.",
        )
    else:
        yield Finding("MEMORY", "ok", text)


def needed_bytes(bundle: Bundle, rows: int, threads: int) -> int:
    """Return an estimate of a worker's peak memory in bytes, rather too large than too small."""
    weights = sum(len(bundle.read_bytes(file)) for file in bundle.manifest.files)
    row = sum(
        4 * prod(axis if isinstance(axis, int) else _USUAL_AXIS for axis in one.tensor.row_axes)
        for one in bundle.manifest.signature.inputs
    )
    return _BASE_BYTES + 2 * weights + threads * (_DECODING_BYTES + _COPIES_OF_BATCH * rows * row)


def _limit(request: Request) -> tuple[int, str]:
    """Return the bytes that the workers may use, and what limits them."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [(machine, "the machine has")]
    if request.memory_bytes is not None:
        limits.append((request.memory_bytes, "the settings of Spark give the workers"))
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address_space != resource.RLIM_INFINITY:
        limits.append((address_space, "ulimit -v allows"))
    return min(limits)


def _mib(size: int) -> str:
    return f"{size / _MIB:.0f} MiB"
