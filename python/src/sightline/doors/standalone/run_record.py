"""run.json: what ran, on what, and what came of it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from sightline.doors.standalone.arguments import PredictArguments
from sightline.doors.standalone.tally import Tally
from sightline.version import __version__

_DISTRIBUTIONS = (
    "pyarrow",
    "numpy",
    "pillow",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "torch",
)


def write_run_record(folder: Path, arguments: PredictArguments, tally: Tally) -> None:
    """Write ``_run/run.json``; the underscore hides it from readers of the folder's data."""
    record = {
        "command": "predict",
        "format": arguments.format,  # by it `evaluate` knows how to read the folder
        "version": __version__,
        "started": datetime.fromtimestamp(tally.started, UTC).isoformat(timespec="seconds"),
        "seconds": {stage: round(spent, 4) for stage, spent in tally.seconds.items()},
        "arguments": asdict(arguments),
        "model": {
            "name": tally.bundle.name,
            "sha256": tally.bundle.sha256,
            "backend": arguments.backend,
            "device": str(tally.device),
            "precision": arguments.precision,
            "decoder": arguments.engine.decoder,
        },
        "counts": {
            "images": tally.images,
            "predicted": tally.predicted,
            "errors": dict(sorted(tally.errors.items())),
        },
        "worker": tally.counters.as_dict(),
        "versions": {"python": platform.python_version(), **_installed()},
    }
    (folder / "_run").mkdir()
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"
    (folder / "_run" / "run.json").write_text(text, "utf-8")


def _installed() -> dict[str, str]:
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
