"""Read, label, divide and check images in this process, and write them as samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from tqdm import tqdm

from sightline.errors import WrongUseError
from sightline.source.list_images import ImageSource, list_images
from sightline.source.listing import LABEL, PATH, Listing
from sightline.source.read_images import CONTENT, ERROR, READ_BYTES, READ_ROWS, read_images
from sightline.source.split import SPLIT, with_file_columns
from sightline.source.stratified_sample import stable_names
from sightline.train.augment import PixelReader
from sightline.train.build_index import build_index
from sightline.train.class_names import AUTO, class_names
from sightline.train.sample_index import SampleIndex
from sightline.train.split_samples import SplitShares, split_samples
from sightline.train.storage import Storage
from sightline.train.write_samples import write_samples

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SampleSource:
    """The labelled images of a run, and how they are divided.

    Args:
        images: The images and the source of their labels.
        shares: Of the parts.
        group_column: Column of a table; images with the same value are in one part. None: each
            image is its own group.
        classes: Number of classes that the user expects, or ``auto``.
        class_names: Labels in the order of the class ids; None: the images' labels, sorted.
        max_error_rate: Share of the images that may be unreadable, 0..1.
        max_image_bytes: A larger file is unreadable.
    """

    images: ImageSource
    shares: SplitShares
    group_column: str | None = None
    classes: int | str = AUTO
    class_names: Sequence[str] | None = None
    max_error_rate: float = 0.01
    max_image_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListedSamples:
    """Images with their parts and classes, before one is opened.

    Args:
        listing: The images.
        labels: Label of each class.
        described: The columns ``part`` and ``class_id``, with a row for each image.
    """

    listing: Listing
    labels: tuple[str, ...]
    described: pa.Table


def list_samples(source: SampleSource, seed: int) -> ListedSamples:
    """List, label and divide the images; open none of them.

    Raises:
        WrongUseError: NO_LABELS, UNKNOWN_COLUMN; errors of `list_images`, `class_names` and
            `split_samples`.
    """
    listing = list_images(source.images)
    labels = labels_of(listing, source.images.images)
    names = class_names(labels, source.classes, source.class_names)
    known = with_file_columns(listing).table.column(SPLIT).to_pylist()
    groups = _groups(listing, source.group_column)
    parts = split_samples(stable_names(listing), labels, groups, known, source.shares, seed)
    numbers = {name: number for number, name in enumerate(names)}
    class_ids = pa.array([numbers[label] for label in labels], pa.int32())
    described = pa.table({"part": pa.array(parts, pa.string()), "class_id": class_ids})
    return ListedSamples(listing, names, described)


def write_listed(
    images: ListedSamples, source: SampleSource, reader: PixelReader, folder: Storage, threads: int
) -> SampleIndex:
    """Check the images and write them as samples, with progress on stderr.

    Args:
        images: Of `list_samples`.
        source: Their source.
        reader: Decodes as the training will.
        folder: A folder without samples.
        threads: Threads that decode.

    Raises:
        WrongUseError: CLASS_WITHOUT_IMAGES, EMPTY_PART.
        SightlineError: MAX_ERROR_RATE_EXCEEDED.
    """
    total = len(images.listing)
    with tqdm(total=total, unit=" images", desc="prepare", disable=None) as progress:
        batches = _batches(images.listing, images.described, source.max_image_bytes, progress)
        events = list(write_samples(batches, folder, 0, reader, threads))
    name = source.images.images
    return build_index(events, images.labels, name, source.max_error_rate, folder)


def labels_of(listing: Listing, images: str) -> list[str]:
    """Return the true label of each image.

    Raises:
        WrongUseError: NO_LABELS if an image has none.
    """
    labels = listing.table.column(LABEL).to_pylist()
    bare = [row for row, label in enumerate(labels) if not label]
    if bare:
        shown = ", ".join(listing.files[row] for row in bare[:_SHOWN])
        raise WrongUseError(
            "NO_LABELS",
            f"{len(bare)} of {len(labels)} images of {images} have no label ({shown}). Put each "
            "image into a folder with the name of its class, or give a table with a column of "
            "labels: --label-column.",
        )
    return [str(label) for label in labels]


def _groups(listing: Listing, column: str | None) -> list[str] | None:
    if column is None:
        return None
    if column not in listing.table.column_names:
        known = ", ".join(listing.table.column_names)
        raise WrongUseError("UNKNOWN_COLUMN", f"--group-column '{column}'. Known: {known}.")
    values = listing.table.column(column).cast(pa.string()).to_pylist()
    paths = listing.table.column(PATH).to_pylist()
    return [str(value or path) for value, path in zip(values, paths, strict=True)]


def _batches(
    listing: Listing, described: pa.Table, max_image_bytes: int, progress: tqdm[None]
) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in read_images(listing, max_image_bytes, READ_ROWS, READ_BYTES):
        own = described.slice(start, batch.num_rows).combine_chunks()
        yield pa.RecordBatch.from_arrays(
            [
                batch.column(PATH),
                own.column("part").combine_chunks(),
                own.column("class_id").combine_chunks(),
                batch.column(CONTENT),
                batch.column(ERROR),
            ],
            names=["path", "part", "class_id", "content", "error"],
        )
        start += batch.num_rows
        progress.update(batch.num_rows)
