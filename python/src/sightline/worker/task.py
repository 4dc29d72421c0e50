"""Code that runs at the start and at the end of a task in a worker that runs many tasks."""

from __future__ import annotations

import gc
import itertools
import json
import sys
from typing import Any
from zipimport import zipimporter

from sightline.engine.counters import Counters

COUNTERS = "sightline_counters"
ERRORS = "errors."  # before the code of an error

# Far above the ids of the accumulators of a Python driver.
_ids = itertools.count(0x51_0000_0000)
_SPARKS_OWN = ("pyspark.zip", "-src.zip", ".jar")
_tasks = 0


def begin_task() -> None:
    """Reduce the start cost of the next task of this process to a tenth.

    Spark calls ``importlib.invalidate_caches()`` for each task. Each cached zip finder then reads
    the directory of its archive. There is one finder per package of pyspark.zip, and together they
    take 130 CPU-ms. Loaded modules need no finder, and Python makes a new finder for other modules.
    The finders of users' archives are kept, because these archives may change.

    Spark also runs the garbage collector over all objects after each task (20 to 40 ms). When the
    second task begins, the collector has just run and the model is loaded. The objects that exist
    then stay alive, so they are excluded from later collections.
    """
    global _tasks  # noqa: PLW0603 - it counts the tasks of this process
    _tasks += 1
    if _tasks == 2:
        gc.freeze()
    for name, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter) and finder.archive.endswith(_SPARKS_OWN):
            del sys.path_importer_cache[name]


def partition_id() -> int:
    """Return the number of the task's partition, from 0; equal for each attempt of a task."""
    from pyspark import TaskContext

    task = TaskContext.get()
    return 0 if task is None else task.partitionId()


def send_counters(counters: Counters) -> None:
    """Add the counters to the accumulator updates that Spark's worker sends at the task's end.

    The driver's jar adds them over the successful tasks. Spark sends an update as a pickle of
    (id, value). The jar does not unpickle it, so the value is JSON text with a name that the jar
    searches for.
    """
    from pyspark.accumulators import Accumulator, AccumulatorParam

    class _Text(AccumulatorParam[str]):
        def zero(self, value: str) -> str:
            return ""

        def addInPlace(self, value1: str, value2: str) -> str:  # noqa: N802 - Spark's name
            return value1 + value2

    errors = {f"{ERRORS}{code}": count for code, count in counters.errors.items()}
    text: Any = json.dumps({COUNTERS: counters.as_dict() | errors})
    Accumulator(next(_ids), text, _Text())
