"""A pipeline that computes features once for all of its fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from pyspark import StorageLevel
from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.pipeline import PipelineReader
from pyspark.ml.wrapper import JavaParams
from pyspark.sql import DataFrame
from pyspark.sql.types import BinaryType, DataType, StructType


class CachedPipeline(Pipeline):
    """Spark's `Pipeline`, whose fit runs each transformer once.

    Before an estimator that follows a transformer, the rows are persisted, until the end of the
    fit. So a `CrossValidator` after an `ImageFeaturizer` reads the features from the cache for each
    fold and each point of its grid. Binary columns and image structs are not persisted, so the
    stages from that estimator on cannot use them in the fit.

    Example::

        search = CrossValidator(
            estimator=LogisticRegression(labelCol="class"),
            estimatorParamMaps=grid,
            evaluator=MulticlassClassificationEvaluator(labelCol="class"),
            parallelism=2,
        )
        featurizer = ImageFeaturizer(model="efficientnet_lite0", handleInvalid="skip")
        indexer = StringIndexer(inputCol="label", outputCol="class")
        fitted = CachedPipeline(stages=[featurizer, indexer, search]).fit(images)
    """

    # Spark finds the Python class of a saved stage by the name of its Scala class.
    __module__ = "sightline.ml"

    def _fit(self, dataset: DataFrame) -> PipelineModel:
        stages = self.getStages()
        estimators = [at for at, stage in enumerate(stages) if isinstance(stage, Estimator)]
        used = estimators[-1] + 1 if estimators else 0
        fitted: list[Transformer] = []
        is_computed = False  # by a transformer, since the rows were persisted
        with ExitStack() as cache:
            for at, stage in enumerate(stages[:used]):
                if isinstance(stage, Estimator):
                    if is_computed:
                        dataset = cache.enter_context(_persisted(dataset))
                        is_computed = False
                    model = stage.fit(dataset)
                    dataset = model.transform(dataset) if at + 1 < used else dataset
                    fitted.append(model)
                else:
                    dataset = stage.transform(dataset)
                    is_computed = True
                    fitted.append(stage)
        return PipelineModel([*fitted, *(cast(Transformer, stage) for stage in stages[used:])])

    @classmethod
    def read(cls) -> PipelineReader:
        """Return a reader of saved pipelines."""
        return _Reader(cls)

    def _to_java(self) -> Any:  # noqa: ANN401 - py4j's objects have no types
        pipeline = JavaParams._new_java_obj("sightline.ml.CachedPipeline", self.uid)
        pipeline.setStages(super()._to_java().getStages())
        return pipeline


class _Reader(PipelineReader):
    """Reads pipelines that Python or Scala has written. Spark's own reads a `Pipeline`."""

    def load(self, path: str) -> CachedPipeline:
        pipeline = super().load(path)
        return CachedPipeline(stages=pipeline.getStages())._resetUid(pipeline.uid)


@contextmanager
def _persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """Yield the rows from the cache, and remove those that were not there before."""
    kept = [field.name for field in frame.schema if not _has_bytes(field.dataType)]
    rows = frame.select(*(frame[f"`{name}`"] for name in kept))
    is_own = rows.storageLevel == StorageLevel.NONE
    if is_own:
        rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        # Before the stages start jobs in parallel, which would compute partitions twice.
        rows.count()
        yield rows
    finally:
        if is_own:
            rows.unpersist()


def _has_bytes(kind: DataType) -> bool:
    if isinstance(kind, StructType):
        return any(_has_bytes(field.dataType) for field in kind)
    return isinstance(kind, BinaryType)
