"""What a Spark task does for a vector index: build one part, or search parts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sightline.errors import SightlineError
from sightline.vectors.index_storage import IndexFolder

if TYPE_CHECKING:
    from usearch.index import Index

_GRAPH = ".usearch"
_IDS = ".ids.arrow"


def build_part(batches: Iterable[pa.RecordBatch], *, path: str) -> Iterator[pa.RecordBatch]:
    """Write the graph of a partition's vectors.

    Args:
        batches: id (string), features (list of float32; NULL: not indexed).
        path: Folder of the index.

    Yields:
        One row: part (the name of its files), rows, dimension, skipped. A partition without
        vectors has no files, and 0 rows.
    """
    from usearch.index import Index

    ids: list[pa.Array[Any]] = []
    skipped, rows = 0, 0
    index: Index | None = None
    for batch in batches:
        known, vectors = _usable(batch)
        skipped += batch.num_rows - len(known)
        if not len(known):
            continue
        if index is None:
            index = Index(ndim=vectors.shape[1], metric="cos", dtype="f32")
        _require_same("build_index", index.ndim, vectors.shape[1])
        # One thread: Spark gives a task one core.
        index.add(np.arange(rows, rows + len(known), dtype=np.uint64), vectors, threads=1)
        rows += len(known)
        ids.append(known)
    part = f"part-{uuid.uuid4().hex}"
    if index is not None:
        folder = IndexFolder.of(path)
        folder.write(part + _GRAPH, cast("bytearray", index.save()))
        folder.write(part + _IDS, _ids_file(ids))
    yield pa.RecordBatch.from_pydict(
        {
            "part": pa.array([part]),
            "rows": pa.array([rows], pa.int64()),
            "dimension": pa.array([0 if index is None else index.ndim], pa.int32()),
            "skipped": pa.array([skipped], pa.int64()),
        }
    )


def search_parts(
    batches: Iterable[pa.RecordBatch], *, path: str, dimension: int, count: int, exact: bool
) -> Iterator[pa.RecordBatch]:
    """Search the nearest vectors of queries in parts of an index.

    Args:
        batches: id, features (not NULL), query (int64), part; the rows of a part are neighbours.
        path: Folder of the index.
        dimension: Elements of a vector of the index.
        count: Neighbours of each query in each part.
        exact: Whether to compare with every vector of the part.

    Yields:
        id, query, neighbour, similarity.
    """
    folder = IndexFolder.of(path)
    part: _Part | None = None
    for batch in batches:
        names: list[Any] = pc.unique(batch.column("part")).to_pylist()
        for name in names:
            if part is None or part.name != name:
                part = _Part.load(folder, name)
            queries = batch.filter(pc.equal(batch.column("part"), name))
            yield part.search(queries, dimension, count, exact=exact)


@dataclass(frozen=True)
class _Part:
    """A part of an index in memory.

    Attributes:
        name: Name of its files.
        index: The graph; its keys are positions in `ids`.
        ids: Text ids of the vectors.
    """

    name: str
    index: Index
    ids: pa.Array[Any]

    @classmethod
    def load(cls, folder: IndexFolder, name: str) -> _Part:
        from usearch.index import Index

        ids = pa.ipc.open_file(folder.read(name + _IDS)).read_all().column(0)
        index = cast("Index", Index.restore(folder.read(name + _GRAPH)))
        return cls(name, index, ids.combine_chunks())

    def search(
        self, queries: pa.RecordBatch, dimension: int, count: int, *, exact: bool
    ) -> pa.RecordBatch:
        ids, vectors = _usable(queries)
        _require_same("nearest", dimension, vectors.shape[1])
        found = self.index.search(vectors, min(count, len(self.index)), exact=exact, threads=1)
        # For one query usearch returns arrays without the axis of queries.
        keys = np.atleast_2d(found.keys)
        distances = np.atleast_2d(found.distances)
        counts: Any = np.atleast_1d(getattr(found, "counts", len(found)))
        filled = np.arange(keys.shape[1])[None, :] < counts[:, None]  # (queries, count)
        return pa.RecordBatch.from_pydict(
            {
                "id": ids.take(np.nonzero(filled)[0]),
                "query": queries.column("query").take(np.nonzero(filled)[0]),
                "neighbour": self.ids.take(keys[filled]),
                "similarity": pa.array((1 - distances[filled]).astype(np.float32)),
            }
        )


def _usable(batch: pa.RecordBatch) -> tuple[pa.Array[Any], np.ndarray]:
    """Return the ids and the vectors, (rows, dimension) float32, of the rows with a vector."""
    batch = batch.filter(pc.is_valid(batch.column("features")))
    features: Any = batch.column("features")
    lengths = pc.unique(pc.list_value_length(features)).to_pylist()
    if len(lengths) > 1:
        _require_same("the index", lengths[0], lengths[1])
    flat = features.flatten().to_numpy(zero_copy_only=False)
    return batch.column("id"), flat.reshape(batch.num_rows, lengths[0] if lengths else 0)


def _require_same(function: str, left: int, right: int) -> None:
    if left != right:
        raise SightlineError(
            "VECTOR_DIMENSION_MISMATCH",
            f"Vectors passed to {function} must have the same dimension, but got {left} and "
            f"{right}.",
        )


def _ids_file(ids: list[pa.Array[Any]]) -> bytes:
    table = pa.table({"id": pa.chunked_array(ids)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
