"""Measures all combinations of a benchmark and returns one record."""

from __future__ import annotations

import itertools
import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sightline.bench.parts import Combination, Cost, Parts, decode_images
from sightline.bundle.find import find_bundle
from sightline.engine.quiet_decoders import quiet_decoders
from sightline.own_cores import own_cores
from sightline.source.list_images import ImageSource, list_images
from sightline.version import __version__

_PACKAGES = ("numpy", "pillow", "onnxruntime", "onnxruntime-gpu", "openvino", "torch")


@dataclass(frozen=True, slots=True)
class BenchArguments:
    """The models, modes and images to measure; see the options of `sightline bench`."""

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
    """Measure all combinations. `show` is called with one line after each measured part.

    Returns:
        Properties of the machine, the model and the images, and ``combinations``: the cost of each
        part, and of ``raw limit``, which is raw decode + raw inference.

    Raises:
        WrongUseError: Before the first measurement: UNKNOWN_MODEL, PATH_NOT_FOUND, NO_IMAGES, or
            an error of `Combination.require_supported`.
        SightlineError: DEVICE_UNAVAILABLE, MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
    """
    quiet_decoders()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    bundle = find_bundle(arguments.model, arguments.models)
    devices = [one.require_supported(bundle, arguments.device) for one in arguments.combinations]
    source = ImageSource(arguments.images, labels="none", limit=arguments.limit_images)
    listing = list_images(source)
    by_decoder = {one.decoder: one.spec(1) for one in arguments.combinations}
    images = {name: decode_images(listing, bundle, spec) for name, spec in by_decoder.items()}
    measured = []
    for at, (one, device) in enumerate(zip(arguments.combinations, devices, strict=True), start=1):
        model = one.load(bundle, device, allow_code=arguments.allow_code)
        rows = one.rows(bundle, device)
        spec = replace(one.spec(arguments.threads), batch_rows=rows)
        parts = Parts(model, spec, images[one.decoder])
        costs = _measure(parts, arguments.rounds, f"{at}/{len(devices)} {one}: ", show)
        measured.append({**asdict(one), "batch_rows": rows, "device": str(device), "parts": costs})
    contents = images[arguments.combinations[0].decoder].contents
    installed = {one.name.lower(): one.version for one in metadata.distributions()}
    return {
        "format": 1,
        "sightline": __version__,
        "started": started,
        "machine": _machine(),
        "versions": {name: installed[name] for name in _PACKAGES if name in installed},
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


def _measure(parts: Parts, rounds: int, prefix: str, show: Callable[[str], None]) -> dict[str, Any]:
    """Measure the parts in turn, so that a slow period of the machine affects all of them."""
    samples: dict[str, list[Cost]] = {name: [] for name in parts.runs}
    for round_, name in itertools.product(range(1, rounds + 1), samples):
        samples[name].append(parts.measure(name))
        show(f"{prefix}{name}, round {round_}: {samples[name][-1].cpu_ms:.2f} CPU-ms per image")
    best = {
        name: Cost(min(one.cpu_ms for one in costs), min(one.wall_ms for one in costs))
        for name, costs in samples.items()
    }
    decoding, inference = best["raw decode"], best["raw inference"]
    limit = Cost(decoding.cpu_ms + inference.cpu_ms, decoding.wall_ms + inference.wall_ms)
    return {
        name: {
            "cpu_ms": cost.cpu_ms,
            "cpu_ratio": cost.cpu_ms / limit.cpu_ms,
            "images_per_s": 1000 / cost.wall_ms,
            "speed_ratio": limit.wall_ms / cost.wall_ms,
            "samples": [asdict(one) for one in samples.get(name, ())],
        }
        for name, cost in (best | {"raw limit": limit}).items()
    }


def _machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo")  # Linux
    text = cpuinfo.read_text("utf-8") if cpuinfo.is_file() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    processor = found[1] if found else platform.processor() or platform.machine()
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return {"processor": processor, "cores": own_cores(), "system": system}
