"""Join what the tasks of the preparation have written to the index of the samples."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from sightline.errors import SightlineError, WrongUseError
from sightline.train.class_names import without_images
from sightline.train.sample_index import SampleIndex, Shard
from sightline.train.split_samples import PARTS, TRAIN
from sightline.train.storage import Storage
from sightline.train.write_samples import Event

LEFT_OUT_FILE = "left_out.jsonl"
_SHOWN = 3


def build_index(
    events: Iterable[Event],
    labels: Sequence[str],
    images: str,
    max_error_rate: float,
    folder: Storage,
) -> SampleIndex:
    """Write `index.json`, and `left_out.jsonl` if images were left out.

    Args:
        events: Of all tasks.
        labels: Label of each class.
        images: The text of ``--images``.
        max_error_rate: Share of the images that may be left out, 0..1.
        folder: The folder of the shards.

    Raises:
        SightlineError: MAX_ERROR_RATE_EXCEEDED.
        WrongUseError: CLASS_WITHOUT_IMAGES; EMPTY_PART if there are no training samples.
    """
    shards: dict[str, list[Shard]] = {part: [] for part in PARTS}
    counts = {part: [0] * len(labels) for part in PARTS}
    left_out = []
    for event in events:
        kind = event["kind"]
        if kind == "shard":
            shard = Shard(event["file"], event["rows"], event["bytes"], event["sha256"])
            shards[event["part"]].append(shard)
        elif kind == "count":
            counts[event["part"]][event["class_id"]] += event["rows"]
        else:
            left_out.append(event)
    left_out.sort(key=lambda event: str(event["path"]))
    if left_out:
        lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in left_out)
        folder.write(LEFT_OUT_FILE, lines.encode("utf-8", "replace"))
    _check(left_out, sum(map(sum, counts.values())), max_error_rate)
    empty = [label for label, count in zip(labels, counts[TRAIN], strict=True) if not count]
    if len(empty) == len(labels):
        raise WrongUseError("EMPTY_PART", "no image is in the training part.")
    if empty:
        raise without_images(empty, " after bad images were left out" if left_out else "")
    index = SampleIndex(
        tuple(labels),
        {part: tuple(sorted(found, key=lambda one: one.file)) for part, found in shards.items()},
        {part: tuple(found) for part, found in counts.items()},
        dict(sorted(Counter(event["code"] for event in left_out).items())),
        images,
    )
    index.write(folder)
    return index


def _check(left_out: list[Event], good: int, max_error_rate: float) -> None:
    total = good + len(left_out)
    if len(left_out) <= max_error_rate * total:
        return
    shown = "; ".join(f"{one['path']}: {one['code']}" for one in left_out[:_SHOWN])
    raise SightlineError(
        "MAX_ERROR_RATE_EXCEEDED",
        f"{len(left_out)} of {total} images cannot be read or decoded ({shown}), more than the "
        f"share of {max_error_rate:g} that --max-error-rate allows. Nothing was trained.",
    )
