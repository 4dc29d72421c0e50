"""The entry points for Spark's Python workers, which the Scala bridge names in its command."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from sightline.backends.cache import open_session
from sightline.backends.device import resolve_device
from sightline.bundle.bundle import Bundle
from sightline.engine.batch_rows import batch_rows_for
from sightline.engine.counters import Counters
from sightline.engine.freed_memory import limit_freed_memory
from sightline.engine.model import Model
from sightline.engine.quiet_decoders import quiet_decoders
from sightline.engine.run import run, run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError, WrongUseError
from sightline.worker.task import begin_task, send_counters
from sightline.worker.task_gpus import log_task_gpus, task_gpus
from sightline.worker.worker_spec import WorkerSpec

if TYPE_CHECKING:
    # Spark passes one argument as an array, and several as a tuple of arrays.
    Arguments = pa.Array[Any] | Sequence[pa.Array[Any]]
_In = TypeVar("_In")
_Out = TypeVar("_Out")


def bulk(spec_json: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the mapper of one task of a bulk plan (mapInArrow, eval type 207).

    Args:
        spec_json: See ``WorkerSpec``.

    Raises:
        SightlineError: PROTOCOL_MISMATCH.
    """
    spec = WorkerSpec.from_json(spec_json)
    columns = spec.columns
    if columns is None:
        raise SightlineError(
            "PROTOCOL_MISMATCH", "the jar's plan for record batches names no columns."
        )

    def infer(
        batches: Iterator[pa.RecordBatch],
        model: Model,
        settings: EngineSettings,
        counters: Counters,
    ) -> Iterator[pa.RecordBatch]:
        return run(batches, model, settings, spec.result, columns.inputs, columns.error, counters)

    return _task(spec, infer)


def scalar(spec_json: str) -> Callable[[Iterator[Arguments]], Iterator[pa.Array[Any]]]:
    """Return the function of a SQL expression (scalar Arrow iterator, eval type 251).

    Args:
        spec_json: See ``WorkerSpec``.

    Raises:
        SightlineError: PROTOCOL_MISMATCH.
    """
    spec = WorkerSpec.from_json(spec_json)

    def infer(
        arguments: Iterator[Arguments], model: Model, settings: EngineSettings, counters: Counters
    ) -> Iterator[pa.Array[Any]]:
        return run_scalar(arguments, model, settings, spec.result, counters)

    return _task(spec, infer)


def _task(
    spec: WorkerSpec,
    infer: Callable[[Iterator[_In], Model, EngineSettings, Counters], Iterator[_Out]],
) -> Callable[[Iterator[_In]], Iterator[_Out]]:
    """Return the function of one task, which opens the model when the first item arrives."""
    begin_task()

    def map_items(items: Iterator[_In]) -> Iterator[_Out]:
        rest = _unless_empty(items)
        if rest is None:
            return
        counters = Counters()
        try:
            yield from infer(rest, *_open_model(spec), counters)
        except WrongUseError as error:
            if error.code in ("BUNDLE_CORRUPT", "INVALID_BUNDLE"):
                _open_bundle.cache_clear()  # it may be of the files that were there before
                _open_bundle(_folder_of(spec), spec.model_sha256, spec.model_name)
            raise
        send_counters(counters)

    return map_items


def _unless_empty(items: Iterator[_In]) -> Iterator[_In] | None:
    """Return the same items, or None for an empty partition, so that no model is loaded for it."""
    for first in items:
        return itertools.chain([first], items)
    return None


@lru_cache(maxsize=8)
def _open_bundle(folder: Path, sha256: str, name: str) -> Bundle:
    """Return a bundle that this process keeps, because a worker runs many tasks of a query.

    Raises:
        SightlineError: MODEL_CHANGED if the folder has another bundle than `sha256`.
    """
    quiet_decoders()
    bundle = Bundle.load(folder)
    if bundle.sha256 != sha256:
        raise SightlineError(
            "MODEL_CHANGED",
            f"{name} was resolved to sha256 {sha256[:12]}, but {folder} "
            f"contains {bundle.sha256[:12]}. It changed after the query began: run it again.",
        )
    return bundle


def _folder_of(spec: WorkerSpec) -> Path:
    from pyspark import SparkFiles

    folder = Path(spec.model_folder)
    return folder if folder.is_absolute() else Path(SparkFiles.get(spec.model_folder))


def _open_model(spec: WorkerSpec) -> tuple[Model, EngineSettings]:
    """Return the model on the task's device, and the settings with its batch size."""
    limit_freed_memory()
    bundle = _open_bundle(_folder_of(spec), spec.model_sha256, spec.model_name)
    addresses = task_gpus()
    device = resolve_device(
        spec.device, spec.backend, addresses, local=spec.local, share=spec.gpus or 1.0
    )
    if addresses:
        log_task_gpus(addresses, device)
    session = open_session(
        bundle,
        spec.backend,
        device,
        threads=1,  # the engine has its own worker threads
        precision=spec.precision,
        allow_code=spec.allow_code,
    )
    rows = batch_rows_for(spec.batch_rows, bundle.manifest, spec.backend, device)
    return Model(bundle, session), replace(spec.engine, batch_rows=rows)
