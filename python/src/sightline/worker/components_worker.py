"""The entry points of `pca` for Spark's Python workers, all for mapInArrow.

`moments` reads the vectors of a partition. `merge` and `solve` read the pieces of moments, sorted
by part. `project` reads vectors again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from sightline.components.moment_rows import from_batches, to_batches
from sightline.components.moments import Moments
from sightline.components.principal import principal
from sightline.components.projection import Projection
from sightline.components.vectors import blocks
from sightline.worker.task import begin_task, partition_id

Mapper = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def moments(spec_json: str) -> Mapper:
    """Return the mapper from vectors to the pieces of their moments.

    Args:
        spec_json: ``vectors``: the column of vectors, see ``blocks``; ``features``: their length.
    """
    spec = json.loads(spec_json)
    column: str = spec["vectors"]
    features: int = spec["features"]

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found: Moments | None = None
        for _, values in blocks(batches, column, features):
            if found is None:
                found = Moments.of(values)
            else:
                found.add(values)
        if found is not None:
            yield from to_batches(partition_id(), found)

    begin_task()
    return run


def merge(_: str) -> Mapper:
    """Return the mapper from the pieces of several parts to those of one part."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = from_batches(batches)
        if found is not None:
            yield from to_batches(partition_id(), found)

    begin_task()
    return run


def solve(spec_json: str) -> Mapper:
    """Return the mapper from the pieces of all parts to one row for each feature and component.

    Args:
        spec_json: ``k``: number of directions.
    """
    k: int = json.loads(spec_json)["k"]

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = from_batches(batches)
        if found is None:
            return
        answer = principal(found, k)
        directions = [one.tobytes() for one in answer.directions]
        features = len(found.shift)
        columns: list[pa.Array[Any]] = [
            pa.array(range(features), pa.int32()),
            pa.array(found.mean),
            pa.array(answer.deviations),
            pa.array(answer.shares),
            pa.array(directions + [None] * (features - len(directions)), pa.binary()),
        ]
        names = ["at", "mean", "deviation", "share", "direction"]
        yield pa.RecordBatch.from_arrays(columns, names)

    begin_task()
    return run


def project(spec_json: str) -> Mapper:
    """Return the mapper from rows with vectors to rows with components.

    Args:
        spec_json: See ``Projection``.
    """
    begin_task()
    return Projection.from_json(spec_json).map
