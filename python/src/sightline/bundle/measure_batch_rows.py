"""Measures which batch size costs a model the least CPU time for a row, for each backend."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np

from sightline.backends.backend import Array, Session
from sightline.backends.device import Device
from sightline.backends.registry import find_backend, has_runtime
from sightline.backends.require_supported import backends_of, variant_of
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import golden_of
from sightline.out_of_memory import raise_if_out_of_memory

SIZES = (1, 2, 4, 8, 16, 32)
# A smaller batch needs less memory, so it wins if it costs at most this much more.
_TIE = 1.02
# CPU time of the engine for a batch, whatever its size: about 0.15 ms.
_BATCH_S = 0.000_15
_ROUNDS, _ROUNDS_S = 5, 2.0
# Time of one sample of a size, and its most rows. Short batches are repeated.
_SAMPLE_S, _SAMPLE_ROWS = 0.05, 64
# Sizes whose batch takes longer are not measured. Such a model gains nothing from large batches.
_LONGEST_S = 0.5
_REASON_LETTERS = 200


def measure_batch_rows(bundle: Bundle) -> dict[str, int]:
    """Return the best batch size of each installed backend that can run the bundle on the CPU.

    The rows are those of the golden batch, and operators have one thread, as in the engine. A
    backend takes about 3 seconds besides loading the model, and more for a model whose rows take
    seconds. Each writes one line to stderr: the costs, or why the model cannot run in it.

    Args:
        bundle: The bundle; its code is allowed to run.

    Returns:
        The size by the name of the backend; empty if the model runs single rows only.

    Raises:
        SightlineError: OUT_OF_MEMORY.
    """
    most = bundle.manifest.most_rows
    sizes = [size for size in SIZES if most is None or size <= most]
    if len(sizes) < 2:
        return {}
    found: dict[str, int] = {}
    for backend in filter(has_runtime, backends_of(bundle)):
        inputs, expected = golden_of(bundle, variant_of(backend))
        try:
            session = find_backend(backend).open(bundle, Device("cpu"), 1, allow_code=True)
            costs = row_seconds(session, inputs, list(expected), sizes)
        except Exception as error:  # noqa: BLE001 - runtimes raise classes of their own
            # The variant runs elsewhere. OpenVINO, for example, reads only a part of ONNX.
            raise_if_out_of_memory(error, f"model {bundle.name}, in {backend},")
            reason = " ".join(str(error).split())[:_REASON_LETTERS]
            sys.stderr.write(
                f"sightline: {bundle.name} cannot run in {backend}, so its batches were not "
                f"measured: {reason}\n"
            )
            continue
        found[backend] = best_size(costs)
        shown = ", ".join(f"{size}: {1000 * cost:.3g}" for size, cost in costs.items())
        sys.stderr.write(
            f"sightline: batches of {found[backend]} rows are best for {bundle.name} in {backend} "
            f"(CPU-ms for a row, by batch size: {shown})\n"
        )
    return found


def best_size(costs: Mapping[int, float]) -> int:
    """Return the smallest size that costs at most 2 % more than the cheapest.

    Args:
        costs: The cost of a row by batch size.
    """
    limit = _TIE * min(costs.values())
    return min(size for size, cost in costs.items() if cost <= limit)


def row_seconds(
    session: Session, inputs: Mapping[str, Array], wanted: Sequence[str], sizes: Sequence[int]
) -> dict[int, float]:
    """Return the CPU time of a row for each batch size, with the engine's time for a batch.

    The sizes take turns for several rounds, and the least time counts. So other work on the machine
    delays all of them, and hardly affects the result.

    Args:
        session: A model.
        inputs: At least one row of each input, by name. They are repeated.
        wanted: Names of outputs.
        sizes: Batch sizes, the smallest first. A size whose batch would take more than half a
            second is left out, except for the first.

    Returns:
        Seconds by size.
    """
    batches: dict[int, Mapping[str, Array]] = {}
    row_s = float("inf")
    for size in sizes:
        if batches and size * row_s > _LONGEST_S:
            break
        batch = {k: np.resize(value, (size, *value.shape[1:])) for k, value in inputs.items()}
        if not batches:
            session.run(batch, wanted)  # the first batch of a session may take much longer
        batches[size] = batch
        # This is only an estimate, because the first batch of a size may allocate and compile.
        row_s = min(row_s, _sample(session, batch, wanted, 1) / size)
    repeats = {
        size: max(1, min(round(_SAMPLE_S / (size * row_s)), _SAMPLE_ROWS // size))
        for size in batches
    }
    least = dict.fromkeys(batches, float("inf"))
    start, round_s = time.perf_counter(), 0.0
    for round_ in range(_ROUNDS):
        begun = time.perf_counter()
        if round_ and begun - start + round_s > _ROUNDS_S:
            break
        for size in sorted(batches, reverse=bool(round_ % 2)):
            spent = _sample(session, batches[size], wanted, repeats[size])
            least[size] = min(least[size], (spent / repeats[size] + _BATCH_S) / size)
        round_s = time.perf_counter() - begun
    return least


def _sample(
    session: Session, batch: Mapping[str, Array], wanted: Sequence[str], repeats: int
) -> float:
    """Return the CPU time of the process for some runs of a batch, in seconds."""
    start = time.process_time()
    for _ in range(repeats):
        session.run(batch, wanted)
    return max(time.process_time() - start, 1e-9)
