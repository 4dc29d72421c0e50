"""The file `_run/run.json`: what a command ran, with which versions, and its counts."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.engine.result_type import Vector
from sightline.version import __version__

if TYPE_CHECKING:
    from sightline.standalone.infer_images import InferArguments
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


def write_run_json(folder: Path, command: str, started: float, facts: dict[str, Any]) -> None:
    """Write ``_run/run.json``. Readers of Parquet skip folders that begin with an underscore.

    Args:
        folder: The output folder.
        command: Name of the command.
        started: Unix time in seconds.
        facts: More entries of the record; values that JSON does not have become text.
    """
    record = {
        "command": command,
        "version": __version__,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        **facts,
    }
    (folder / "_run").mkdir()
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"
    (folder / "_run" / "run.json").write_text(text, "utf-8")


def write_run_record(folder: Path, arguments: InferArguments, tally: Tally) -> None:
    """Write the record of `predict` or `features` into its output folder."""
    facts = {
        "format": arguments.format,  # `evaluate` reads the folder in this format
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
