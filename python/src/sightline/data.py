"""Samples of Sightline as datasets of PyTorch, for a training loop of your own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.engine.decode import decode
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError
from sightline.source.read_images import ERROR_TYPE
from sightline.train.augment import PixelReader
from sightline.train.build_index import build_index
from sightline.train.class_names import class_names
from sightline.train.epoch_order import epoch_order, share
from sightline.train.sample_index import SampleIndex
from sightline.train.samples import Samples
from sightline.train.shard_cache import DEFAULT_CACHE, ShardCache
from sightline.train.split_samples import TRAIN
from sightline.train.storage import Storage
from sightline.train.write_samples import write_samples

__all__ = ["SampleDataset", "SampleStream", "dataset"]

Transform = Callable[[Any], Any]
"""From a `PIL.Image.Image`, upright and RGB, to the first value of an item."""
Sample = tuple[Any, int]


def dataset(
    source: Any,  # noqa: ANN401 - a path, a URI, or a DataFrame of pyspark, which is not imported
    part: str = "train",
    *,
    image_size: int = 224,
    transform: Transform | None = None,
    style: Literal["map", "iterable"] = "map",
    seed: int = 0,
    cache: str | os.PathLike[str] | None = None,
    cache_gb: float = 50.0,
    folder: str | None = None,
    label: str = "label",
) -> SampleDataset | SampleStream:
    """Open samples as a dataset of PyTorch.

    Args:
        source: The folder ``samples`` of a run of `train`, a path or a URI; or a DataFrame with the
            columns ``path`` (string), ``content`` (binary) and a label (string), whose rows Spark
            writes as samples to `folder` first. All rows are in the part ``train`` then.
        part: ``train``, ``validation`` or ``test``.
        image_size: Without `transform`, an item is the pixels of the middle part, resized: uint8,
            (3, image_size, image_size).
        transform: From the decoded `PIL.Image.Image`, upright and RGB, to the first value of an
            item.
        style: ``map`` gives random access, for a DataLoader with a sampler. ``iterable`` gives the
            order of `seed` and of the epoch, divided among the workers of torch.distributed and of
            the DataLoader, so that each sample is taken once.
        seed: Of the order of ``iterable``.
        cache: Local folder for copies of remote shards; None for one below ``~/.cache``.
        cache_gb: Limit for those copies.
        folder: Path or URI of a new folder for the samples of a DataFrame.
        label: The DataFrame's column of labels.

    Returns:
        Items are (pixels or the transform's value, class id). ``labels`` has the classes' labels.

    Raises:
        WrongUseError: NO_SAMPLES; NO_LABELS; INVALID_OPTION for an unknown part or style, or a
            DataFrame without `folder`; CLASSES_DIFFER if there are fewer than two labels.
        SightlineError: SAMPLES_CORRUPT; MAX_ERROR_RATE_EXCEEDED if a row of a DataFrame has no
            image that can be decoded.
    """
    if hasattr(source, "mapInArrow"):
        if folder is None:
            raise WrongUseError(
                "INVALID_OPTION", "folder is missing. A DataFrame's samples need a new folder."
            )
        _write(source, folder, label)
        source = folder
    storage = Storage(source)
    index = SampleIndex.read(storage)
    if part not in index.parts:
        known = ", ".join(index.parts)
        raise WrongUseError("INVALID_OPTION", f"part is '{part}'. Known: {known}.")
    copies = Path(cache or DEFAULT_CACHE).expanduser()
    samples = Samples(index, part, ShardCache(storage, copies, int(cache_gb * 1e9)))
    reader = _Reader(image_size, transform)
    if style == "map":
        return SampleDataset(samples, reader, index.labels)
    if style == "iterable":
        return SampleStream(samples, reader, index.labels, seed)
    raise WrongUseError("INVALID_OPTION", f"style is '{style}'. Known: map, iterable.")


class SampleDataset(Dataset[Sample]):
    """A map-style dataset; `dataset` opens it."""

    def __init__(self, samples: Samples, reader: _Reader, labels: tuple[str, ...]) -> None:
        self._samples = samples
        self._reader = reader
        self.labels = labels

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, row: int) -> Sample:
        return self._reader.read(self._samples, row)


class SampleStream(IterableDataset[Sample]):
    """An iterable dataset; `dataset` opens it."""

    def __init__(
        self, samples: Samples, reader: _Reader, labels: tuple[str, ...], seed: int
    ) -> None:
        self._samples = samples
        self._reader = reader
        self._seed = seed
        self._epoch = 0
        self.labels = labels

    def __len__(self) -> int:
        return len(self._samples)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration. Call it before each epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[Sample]:
        rows = epoch_order(len(self._samples), self._seed, self._epoch)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            rows = share(rows, torch.distributed.get_rank(), torch.distributed.get_world_size())
        worker = get_worker_info()
        if worker is not None:
            rows = share(rows, worker.id, worker.num_workers)
        for row in rows.tolist():
            yield self._reader.read(self._samples, row)


class _Reader:
    """Makes the first value of an item."""

    def __init__(self, image_size: int, transform: Transform | None) -> None:
        edge = Size(image_size, image_size)
        resized = max(image_size, round(image_size * 256 / 224))
        resize = Resize("shortest_edge", resized, resized, "bilinear")
        half = (0.5, 0.5, 0.5)  # the pixels are not normalised
        self._pixels = PixelReader(Preprocessing("RGB", resize, edge, half, half), "none", 0)
        self._transform = transform

    def read(self, samples: Samples, row: int) -> Sample:
        content, class_id = samples[row]
        value: Any
        if self._transform is None:
            out = np.empty((*self._pixels.size, 3), np.uint8)
            error = self._pixels.plain(content, out)
            value = torch.from_numpy(out).permute(2, 0, 1)  # (3, height, width)
        else:
            image = decode(content, EngineSettings())
            error = image if isinstance(image, RowError) else None
            value = None if isinstance(image, RowError) else self._transform(image)
        if error is not None:
            raise samples.failure(row, error)
        return value, class_id


def _write(frame: Any, folder: str, label: str) -> None:  # noqa: ANN401 - see `dataset`
    """Write a DataFrame's rows as samples of the part `train`, with Spark."""
    rows = frame.selectExpr("path", "content", f"cast(`{label}` as string) as label")
    found = [one.label for one in rows.select("label").distinct().collect()]
    if None in found:
        raise WrongUseError("NO_LABELS", f"rows of the DataFrame have no label in '{label}'.")
    names = class_names(found)
    numbers = {name: number for number, name in enumerate(names)}

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context = TaskContext.get()
        task = context.partitionId() if context else 0
        reader = _Reader(224, None)._pixels
        samples = (_sample_rows(batch, numbers) for batch in batches)
        for event in write_samples(samples, Storage(folder), task, reader):
            yield pa.RecordBatch.from_pydict({"event": [json.dumps(event)]})

    written = rows.orderBy("path").mapInArrow(write, "event string").collect()
    events = (json.loads(one.event) for one in written)
    build_index(events, names, "a DataFrame", 0.0, Storage(folder))


def _sample_rows(batch: pa.RecordBatch, numbers: Mapping[str, int]) -> pa.RecordBatch:
    labels = batch.column("label").to_pylist()
    return pa.RecordBatch.from_arrays(
        [
            batch.column("path"),
            pa.array([TRAIN] * batch.num_rows, pa.string()),
            pa.array([numbers[str(one)] for one in labels], pa.int32()),
            batch.column("content"),
            pa.nulls(batch.num_rows, ERROR_TYPE),
        ],
        names=["path", "part", "class_id", "content", "error"],
    )
