"""Params of `TransferClassifier` for its samples, its files and its workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypedDict

from pyspark.ml.param import Params, TypeConverters

from sightline.ml.params import declare

RUN_DEFAULTS: Mapping[str, Any] = {
    "resume": False,
    "split": "0.8/0.1/0.1",
    "maxErrorRate": 0.01,
    "maxImageBytes": 67108864,
    "checkpointEvery": 2,
    "checkpointBatches": 0,
    "keep": 3,
    "cache": "~/.cache/sightline/samples",
    "cacheGb": 50.0,
    "workers": 1,
    "device": "auto",
}


class RunParams(TypedDict, total=False):
    """Keyword arguments for the run. `HasRun` documents them."""

    output: str
    resume: bool
    modelName: str
    pathCol: str
    groupCol: str
    split: str
    maxErrorRate: float
    maxImageBytes: int
    checkpointEvery: int
    checkpointBatches: int
    keep: int
    cache: str
    cacheGb: float
    workers: int
    threads: int
    device: str


class HasRun(Params):
    """The samples, the files and the workers of a training run."""

    output = declare(
        "output",
        "folder or URI below which each fit has the folder of its run",
        TypeConverters.toString,
    )
    resume = declare(
        "resume",
        "whether a fit continues, or takes, the run of the same images and settings",
        TypeConverters.toBoolean,
    )
    modelName = declare(
        "modelName", "name of the model; not set: the last part of output", TypeConverters.toString
    )
    pathCol = declare(
        "pathCol",
        "column with the names of the images; not set: the hash of an image is its name",
        TypeConverters.toString,
    )
    groupCol = declare(
        "groupCol", "column whose equal values are in one part", TypeConverters.toString
    )
    split = declare(
        "split", "shares of train, validation and test, which add up to 1", TypeConverters.toString
    )
    maxErrorRate = declare(
        "maxErrorRate", "share of the images that may be unreadable, 0 to 1", TypeConverters.toFloat
    )
    maxImageBytes = declare("maxImageBytes", "most bytes of an image (>= 1)", TypeConverters.toInt)
    checkpointEvery = declare(
        "checkpointEvery", "epochs between checkpoints (>= 1)", TypeConverters.toInt
    )
    checkpointBatches = declare(
        "checkpointBatches", "also a checkpoint after each N batches; 0: none", TypeConverters.toInt
    )
    keep = declare(
        "keep", "newest checkpoints to keep, beside the best (>= 1)", TypeConverters.toInt
    )
    cache = declare(
        "cache", "folder on each node for copies of remote samples", TypeConverters.toString
    )
    cacheGb = declare("cacheGb", "limit of those copies, in GB (>= 0.001)", TypeConverters.toFloat)
    workers = declare("workers", "tasks of Spark that train together (>= 1)", TypeConverters.toInt)
    threads = declare(
        "threads",
        "threads of each worker (>= 1); not set: by Spark's settings",
        TypeConverters.toInt,
    )
    device = declare("device", "device of the training: auto, cpu or cuda", TypeConverters.toString)

    def setOutput(self, value: str) -> Self:
        """Set `output`."""
        return self._set(output=value)

    def getOutput(self) -> str:
        """Return the value of `output`."""
        return self.getOrDefault(self.output)

    def setResume(self, value: bool) -> Self:
        """Set `resume`."""
        return self._set(resume=value)

    def getResume(self) -> bool:
        """Return the value of `resume`."""
        return self.getOrDefault(self.resume)

    def setModelName(self, value: str) -> Self:
        """Set `modelName`."""
        return self._set(modelName=value)

    def getModelName(self) -> str:
        """Return the value of `modelName`."""
        return self.getOrDefault(self.modelName)

    def setPathCol(self, value: str) -> Self:
        """Set `pathCol`."""
        return self._set(pathCol=value)

    def getPathCol(self) -> str:
        """Return the value of `pathCol`."""
        return self.getOrDefault(self.pathCol)

    def setGroupCol(self, value: str) -> Self:
        """Set `groupCol`."""
        return self._set(groupCol=value)

    def getGroupCol(self) -> str:
        """Return the value of `groupCol`."""
        return self.getOrDefault(self.groupCol)

    def setSplit(self, value: str) -> Self:
        """Set `split`."""
        return self._set(split=value)

    def getSplit(self) -> str:
        """Return the value of `split`."""
        return self.getOrDefault(self.split)

    def setMaxErrorRate(self, value: float) -> Self:
        """Set `maxErrorRate`."""
        return self._set(maxErrorRate=value)

    def getMaxErrorRate(self) -> float:
        """Return the value of `maxErrorRate`."""
        return self.getOrDefault(self.maxErrorRate)

    def setMaxImageBytes(self, value: int) -> Self:
        """Set `maxImageBytes`."""
        return self._set(maxImageBytes=value)

    def getMaxImageBytes(self) -> int:
        """Return the value of `maxImageBytes`."""
        return self.getOrDefault(self.maxImageBytes)

    def setCheckpointEvery(self, value: int) -> Self:
        """Set `checkpointEvery`."""
        return self._set(checkpointEvery=value)

    def getCheckpointEvery(self) -> int:
        """Return the value of `checkpointEvery`."""
        return self.getOrDefault(self.checkpointEvery)

    def setCheckpointBatches(self, value: int) -> Self:
        """Set `checkpointBatches`."""
        return self._set(checkpointBatches=value)

    def getCheckpointBatches(self) -> int:
        """Return the value of `checkpointBatches`."""
        return self.getOrDefault(self.checkpointBatches)

    def setKeep(self, value: int) -> Self:
        """Set `keep`."""
        return self._set(keep=value)

    def getKeep(self) -> int:
        """Return the value of `keep`."""
        return self.getOrDefault(self.keep)

    def setCache(self, value: str) -> Self:
        """Set `cache`."""
        return self._set(cache=value)

    def getCache(self) -> str:
        """Return the value of `cache`."""
        return self.getOrDefault(self.cache)

    def setCacheGb(self, value: float) -> Self:
        """Set `cacheGb`."""
        return self._set(cacheGb=value)

    def getCacheGb(self) -> float:
        """Return the value of `cacheGb`."""
        return self.getOrDefault(self.cacheGb)

    def setWorkers(self, value: int) -> Self:
        """Set `workers`."""
        return self._set(workers=value)

    def getWorkers(self) -> int:
        """Return the value of `workers`."""
        return self.getOrDefault(self.workers)

    def setThreads(self, value: int) -> Self:
        """Set `threads`."""
        return self._set(threads=value)

    def getThreads(self) -> int:
        """Return the value of `threads`."""
        return self.getOrDefault(self.threads)

    def setDevice(self, value: str) -> Self:
        """Set `device`."""
        return self._set(device=value)

    def getDevice(self) -> str:
        """Return the value of `device`."""
        return self.getOrDefault(self.device)
