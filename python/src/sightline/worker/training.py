"""The entry points of `train` for Spark's Python workers, both for mapInArrow.

Their output is one column ``event`` of JSON texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from sightline.worker.task import begin_task, partition_id

Mapper = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def prepare(spec_json: str) -> Mapper:
    """Return the mapper that writes the samples of a partition, see `write_samples`.

    The partitions are sorted by part and path, and the rows in each of them too.

    Args:
        spec_json: ``settings`` (`TrainSettings.as_dict`), ``samples`` (path or URI of the folder),
            ``threads`` and ``max_image_bytes``.
    """
    spec: dict[str, Any] = json.loads(spec_json)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from sightline.engine.quiet_decoders import quiet_decoders
        from sightline.train.augment import PixelReader
        from sightline.train.network import preprocessing_of
        from sightline.train.settings import TrainSettings
        from sightline.train.storage import Storage
        from sightline.train.write_samples import write_samples

        quiet_decoders()
        settings = TrainSettings.from_dict(spec["settings"])
        reader = PixelReader(preprocessing_of(settings), "none", 0)
        folder = Storage(spec["samples"])
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
        checkpoint; the others yield nothing.
    """
    spec: dict[str, Any] = json.loads(spec_json)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import torch
        from pyspark import BarrierTaskContext

        from sightline.backends.device import resolve_device
        from sightline.train.process_group import join
        from sightline.train.train_worker import WorkerTask, run_worker

        for _ in batches:  # Spark waits until its rows are read
            pass
        context = BarrierTaskContext.get()
        rank, workers = context.partitionId(), spec["workers"]
        gpu = context.resources().get("gpu")
        addresses = list(gpu.addresses) if gpu else []
        device = resolve_device(spec["device"], "pytorch", addresses, local=spec["local"])
        task = WorkerTask(**spec["task"], device=str(device))
        host = context.getTaskInfos()[rank].address.rpartition(":")[0]
        group = join(
            rank, workers, torch.device(task.device), host, lambda text: context.allGather(text)[0]
        )
        try:
            history = run_worker(task, group, lambda _: None)
        finally:
            group.close()
        yield from _rows(history if group.is_first else ())

    begin_task()
    return run


def _rows(events: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    for event in events:
        text = json.dumps(event, ensure_ascii=False)
        yield pa.RecordBatch.from_arrays([pa.array([text], pa.string())], names=["event"])
