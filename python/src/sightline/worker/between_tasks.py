"""What a reused worker does again for every task, and need not."""

from __future__ import annotations

import gc
import sys
from zipimport import zipimporter

_SPARKS_OWN = ("pyspark.zip", "-src.zip", ".jar")
_tasks = 0


def begin_task() -> None:
    """Make the next task of this process begin for a tenth of what it would cost.

    Spark calls ``importlib.invalidate_caches()`` for each task, and each cached finder of a zip
    then reads the directory of its archive: there is one for every package of pyspark.zip, and it
    takes 130 CPU-ms. What is loaded needs no finder, and what is not gets a new one. Archives of
    users are left alone: they may change.

    Spark also collects garbage after each task, among all objects of all modules (20 to 40 ms).
    When the second task begins that has just been done, and the model is loaded: what is there
    then stays, and is taken out of the search.
    """
    global _tasks  # noqa: PLW0603 - of this process, like what it counts
    _tasks += 1
    if _tasks == 2:
        gc.freeze()
    for name, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter) and finder.archive.endswith(_SPARKS_OWN):
            del sys.path_importer_cache[name]
