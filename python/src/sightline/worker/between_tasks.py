"""Removes repeated work at the start of each task of a reused worker."""

from __future__ import annotations

import gc
import sys
from zipimport import zipimporter

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
    global _tasks  # noqa: PLW0603 - of this process, like what it counts
    _tasks += 1
    if _tasks == 2:
        gc.freeze()
    for name, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter) and finder.archive.endswith(_SPARKS_OWN):
            del sys.path_importer_cache[name]
