"""Measures every combination of a benchmark, and returns the record that is printed."""

from __future__ import annotations

import itertools
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sightline.bench.parts import PARTS, Combination, Decoded, Parts, Sample, decode_images
from sightline.bundle.bundle import Bundle
from sightline.bundle.find import find_bundle
from sightline.engine.quiet_decoders import quiet_decoders
from sightline.own_cores import own_cores
from sightline.source.list_images import ImageSource, list_images
from sightline.source.listing import Listing
from sightline.version import __version__

FORMAT = 1
_PACKAGES = (
    "numpy",
    "pillow",
    "pyarrow",
    "simplejpeg",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "torch",
)


@dataclass(frozen=True, slots=True)
class BenchArguments:
    """What to measure.

    Args:
        model: Name or path of a bundle.
        models: Folder where names are looked up first; None for the usual places.
        images: Folder, glob or table of images.
        limit_images: Only the first N images. Their pixels at the model's size stay in memory.
        combinations: The ways to run the model.
        rounds: Samples per part, at least 1.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Worker threads of the engine, at least 1.
        allow_code: Whether the bundle may name code of any package.
    """

    model: str
    models: Path | None
    images: str
    limit_images: int
    combinations: Sequence[Combination]
    rounds: int
    device: str
    threads: int
    allow_code: bool


def run_bench(arguments: BenchArguments, show: Callable[[str], None]) -> dict[str, Any]:
    """Measure every combination.

    Args:
        arguments: What to measure.
        show: Called with one line after each measured part.

    Returns:
        The record: facts on machine, model and images, and ``combinations``. Each combination has
        the cost of each part, and ``raw limit``: raw decode + raw inference.

    Raises:
        WrongUseError: For everything that is known before the first measurement: UNKNOWN_MODEL,
            PATH_NOT_FOUND, NO_IMAGES, and those of `Combination.require_supported`.
        SightlineError: DEVICE_UNAVAILABLE, MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
    """
    quiet_decoders()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    bundle = find_bundle(arguments.model, arguments.models)
    devices = [one.require_supported(bundle, arguments.device) for one in arguments.combinations]
    source = ImageSource(arguments.images, labels="none", limit=arguments.limit_images)
    listing = list_images(source)
    decoded: dict[str, Decoded] = {}
    for one in arguments.combinations:
        if one.decoder not in decoded:
            decoded[one.decoder] = decode_images(listing, bundle, one.spec(1))
    contents = next(iter(decoded.values())).contents
    measured = []
    for at, (one, device) in enumerate(zip(arguments.combinations, devices, strict=True), start=1):

        def show_part(line: str, at: int = at, one: Combination = one) -> None:
            show(f"{at}/{len(arguments.combinations)} {one}: {line}")

        parts = _measure(arguments, one, bundle, listing, decoded[one.decoder], show_part)
        measured.append({**asdict(one), "device": device, "parts": parts})
    return {
        "format": FORMAT,
        "sightline": __version__,
        "started": started,
        "machine": _machine(),
        "versions": _versions(),
        "model": {"name": bundle.name, "sha256": bundle.sha256},
        "images": {
            "source": arguments.images,
            "measured": len(contents),
            "failed": len(listing) - len(contents),
            "mean_bytes": round(sum(map(len, contents)) / len(contents)),
        },
        "rounds": arguments.rounds,
        "threads": arguments.threads,
        "combinations": measured,
    }


def _measure(
    arguments: BenchArguments,
    combination: Combination,
    bundle: Bundle,
    listing: Listing,
    decoded: Decoded,
    show: Callable[[str], None],
) -> dict[str, Any]:
    """Measure the parts in turn, so that a slow minute of the machine affects all of them."""
    parts = Parts(
        bundle,
        combination,
        listing,
        decoded,
        arguments.device,
        arguments.threads,
        allow_code=arguments.allow_code,
    )
    samples: dict[str, list[Sample]] = {part: [] for part in PARTS}
    for round_, part in itertools.product(range(1, arguments.rounds + 1), PARTS):
        sample = parts.measure(part)
        samples[part].append(sample)
        show(f"{part}, round {round_}: {sample.cpu_ms:.2f} CPU-ms per image")
    best = {part: _best(found) for part, found in samples.items()}
    raw = [best["raw decode"], best["raw inference"]]
    limit = Sample(sum(one.cpu_ms for one in raw), sum(one.wall_ms for one in raw))
    found = {
        part: _cost(cost, limit) | {"samples": [asdict(one) for one in samples[part]]}
        for part, cost in best.items()
    }
    return found | {"raw limit": _cost(limit, limit)}


def _best(samples: Sequence[Sample]) -> Sample:
    return Sample(min(one.cpu_ms for one in samples), min(one.wall_ms for one in samples))


def _cost(cost: Sample, limit: Sample) -> dict[str, Any]:
    """Return a cost, and its ratios to the raw limit."""
    return {
        "cpu_ms": cost.cpu_ms,
        "cpu_ratio": cost.cpu_ms / limit.cpu_ms if limit.cpu_ms else None,
        "images_per_s": 1000 / cost.wall_ms,
        "speed_ratio": limit.wall_ms / cost.wall_ms,
    }


def _machine() -> dict[str, Any]:
    """Return the processor, the usable cores, the memory (GiB) and the system."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")  # Linux
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    memory = None
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    return {
        "processor": processor,
        "cores": own_cores(),
        "memory_gib": memory,
        "system": f"{platform.system()} {platform.release()}",
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
