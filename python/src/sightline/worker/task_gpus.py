"""The GPUs that Spark gave to the task of this worker."""

from __future__ import annotations

import os
import sys

from sightline.backends.device import Device


def task_gpus() -> list[str] | None:
    """Return the addresses, such as ``["1"]``; empty for a task without a GPU, None outside Spark.

    A worker runs many tasks, and each may have another address. The address therefore selects the
    device in each task; CUDA_VISIBLE_DEVICES is read only once in a process.
    """
    from pyspark import TaskContext

    task = TaskContext.get()
    if task is None:
        return None
    gpu = task.resources().get("gpu")
    return list(gpu.addresses) if gpu else []


def log_task_gpus(addresses: list[str], device: Device) -> None:
    """Write one line to the executor's log that says which GPU the task has, and which it uses."""
    from pyspark import TaskContext

    task = TaskContext.get()
    if task is not None:
        sys.stderr.write(
            f"sightline: stage {task.stageId()}, partition {task.partitionId()}, attempt "
            f"{task.attemptNumber()}: gpu {' '.join(addresses)}, model on {device}, process "
            f"{os.getpid()}\n"
        )
        sys.stderr.flush()
