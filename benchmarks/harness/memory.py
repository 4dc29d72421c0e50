"""How much memory one worker takes, by model and batch size: what to plan a task with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from harness.catalogue import predict, sightline
from harness.contender import Job
from harness.coprocess import Coprocess
from harness.inputs import prepare
from harness.regime import Regime
from sightline.errors import SightlineError

BATCH_ROWS = (8, 32, 128)
_BATCHES = 4  # of the largest size, for each worker: more changes nothing


def measure_memory(regime: Regime, repository: Path, work: Path) -> list[dict[str, Any]]:
    """The peak RSS of a worker of the jar's `predict`, in a new application for each batch size."""
    images = BATCH_ROWS[-1] * _BATCHES
    inputs = prepare(regime.files, images, work / "inputs" / f"{regime.name}-{images}")
    found: list[dict[str, Any]] = []
    for rows in BATCH_ROWS:
        output = work / "outputs" / f"memory-{regime.name}-{rows}"
        shutil.rmtree(output, ignore_errors=True)
        job = Job(inputs, output, regime.model, work / "notes")
        line = predict("packed", "--batch-rows", str(rows))(job)
        entry: dict[str, Any] = {"model": regime.model.name, "batch_rows": rows}
        try:
            log = work / "logs" / f"memory-{regime.name}-{rows}.log"
            with Coprocess(sightline(repository), log) as process:
                process.ask(line, images)
                entry["worker_mib"] = round(process.tree.largest_worker_mib())
                entry["jvm_mib"] = round(process.tree.jvm_mib())
        except SightlineError as error:
            entry["skipped"] = error.message
        shutil.rmtree(output, ignore_errors=True)
        found.append(entry)
    return found
