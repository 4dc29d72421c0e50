"""run.json: what ran, on what, and what came of it."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from sightline.engine.result_type import Vector
from sightline.standalone.arguments import InferArguments
from sightline.standalone.run_json import write_run_json
from sightline.standalone.tally import Tally

_DISTRIBUTIONS = (
    "pyarrow",
    "numpy",
    "pillow",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "torch",
)


def write_run_record(folder: Path, arguments: InferArguments, tally: Tally) -> None:
    """Write it into the output."""
    facts = {
        "format": arguments.format,  # by it `evaluate` knows how to read the folder
        "seconds": {stage: round(spent, 4) for stage, spent in tally.seconds.items()},
        "arguments": asdict(arguments),
        "model": {
            "name": tally.bundle.name,
            "sha256": tally.bundle.sha256,
            "backend": arguments.backend,
            "device": str(tally.device),
            "precision": arguments.precision,
            "decoder": arguments.engine.decoder,
            "batch_rows": arguments.engine.batch_rows,
        },
        "images_root": tally.images_root,
        "counts": {
            "images": tally.images,
            "predicted": tally.predicted,
            "errors": dict(sorted(tally.errors.items())),
        },
        "left_out": tally.left_out,
        "true_labels": {"labelled": tally.labels.labelled, "known": tally.labels.known},
        "worker": tally.counters.as_dict(),
        "versions": {"python": platform.python_version(), **_installed()},
    }
    if tally.splits:
        facts["splits"] = {name: {"images": count} for name, count in tally.splits.items()}
    command = "features" if isinstance(arguments.result, Vector) else "predict"
    write_run_json(folder, command, tally.started, facts)


def _installed() -> dict[str, str]:
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
