"""The entry points of `train` for Spark's Python workers, both for mapInArrow.

Their output is one column ``event`` of JSON texts.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sightline.errors import SightlineError
from sightline.worker.task import begin_task, partition_id

if TYPE_CHECKING:
    from pyspark import BarrierTaskContext

Mapper = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def prepare(spec_json: str) -> Mapper:
    """Return the mapper that writes the samples of a partition, see `write_samples`.

    The partitions are sorted by part and path, and the rows in each of them too.

    Args:
        spec_json: ``settings`` (`TrainSettings.as_dict`), ``samples`` (path or URI of the folder),
            ``threads``, ``max_image_bytes``, and ``access`` (`StoreAccess`) for a URI.
    """
    spec: dict[str, Any] = json.loads(spec_json)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from sightline.engine.quiet_decoders import quiet_decoders
        from sightline.train.augment import PixelReader
        from sightline.train.network import preprocessing_of
        from sightline.train.storage import Storage
        from sightline.train.train_settings import TrainSettings
        from sightline.train.write_samples import write_samples
        from sightline.transfer.remote_folder import StoreAccess

        quiet_decoders()
        settings = TrainSettings.from_dict(spec["settings"])
        reader = PixelReader(preprocessing_of(settings), "none", 0)
        folder = Storage(spec["samples"], StoreAccess(**spec.get("access", {})))
        return _rows(write_samples(batches, folder, partition_id(), reader, spec["threads"]))

    begin_task()
    return run


def train(spec_json: str) -> Mapper:
    """Return the mapper of one worker, a task of a barrier stage. Its rows are not read.

    Args:
        spec_json: ``task`` (`WorkerTask` without its device), ``workers``, ``device`` (``auto``,
            ``cpu`` or ``cuda``) and ``local`` (whether Spark runs in one process).

    Returns:
        The first worker yields one record for each epoch of the run, also of those before a
        checkpoint. A worker whose training fails yields ``error`` with ``code`` and ``message``
        instead of failing: Spark reports one task's error alone, which may be that the other
        workers were lost.
    """
    spec: dict[str, Any] = json.loads(spec_json)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import BarrierTaskContext

        from sightline.backends.device import resolve_device

        for _ in batches:  # Spark waits until its rows are read
            pass
        context = BarrierTaskContext.get()
        gpu = context.resources().get("gpu")
        addresses = list(gpu.addresses) if gpu else []
        device, failure = "", ""
        try:
            device = str(resolve_device(spec["device"], "pytorch", addresses, local=spec["local"]))
        except SightlineError as error:
            failure = json.dumps(_failure(error))
        # A worker that ends alone would leave the others waiting for it.
        failures = [text for text in context.allGather(failure) if text]
        if failures:
            yield from _rows([json.loads(failures[0])])
            return
        events = _trained(spec, context, device)
        # The connections of a worker that failed must be closed: the others wait for their end.
        gc.collect()
        yield from _rows(events)

    begin_task()
    return run


def _trained(spec: dict[str, Any], context: BarrierTaskContext, device: str) -> Iterable[Any]:
    """Train as one worker. Return its events."""
    import torch

    from sightline.train.process_group import join, lost
    from sightline.train.train_worker import WorkerTask, run_worker

    rank, workers = context.partitionId(), spec["workers"]
    cache = str(Path(spec["task"]["cache"]).expanduser())  # of this machine's user
    task = WorkerTask(**spec["task"] | {"cache": cache}, device=device)
    host = context.getTaskInfos()[rank].address.rpartition(":")[0]
    try:
        group = join(
            rank, workers, torch.device(device), host, lambda text: context.allGather(text)[0]
        )
        try:
            history = run_worker(task, group, lambda _: None)
        finally:
            group.close()
    except SightlineError as error:
        return [_failure(error)]
    except RuntimeError as error:
        if workers == 1:
            raise
        return [_failure(lost(error))]
    return history if group.is_first else []


def _failure(error: SightlineError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message}}


def _rows(events: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    for event in events:
        text = json.dumps(event, ensure_ascii=False)
        yield pa.RecordBatch.from_arrays([pa.array([text], pa.string())], names=["event"])
