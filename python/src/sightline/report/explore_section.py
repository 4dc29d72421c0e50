"""The part of the page to look at images in: the points, and what its script needs of them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.report.assets import asset
from sightline.report.class_counts import NO_SPLIT, split_order
from sightline.report.markup import Html, element, foreign, join, scrolling, section, shorten, table
from sightline.report.sample import Sample
from sightline.report.thumbnails import Thumbnails

_LABEL_CHARACTERS = 200
_PATH_CHARACTERS = 1000
_MOST_CLASSES = 500
_CENTRES = 3


def explore_section(sample: Sample, thumbnails: Thumbnails | None, of: int) -> Html:
    """The plot, its controls, the nearest images, and the centres of the classes as a table.

    Args:
        sample: The points.
        thumbnails: Of the points; None shows none.
        of: Images that the run has.
    """
    shown = f"{len(sample):,} images"
    if of > len(sample):
        shown = f"A sample of {len(sample):,} of the run's {of:,} images"
    notes = [element("p", f"{shown}. Each is a point where its components put it.", class_="note")]
    if thumbnails is None:
        notes.append(element("p", "This page was written without thumbnails.", class_="note"))
    elif thumbnails.errors:
        kinds = ", ".join(f"{code} {count:,}" for code, count in thumbnails.errors.items())
        missing = sum(thumbnails.errors.values())
        text = f"{missing:,} of these images could not be read for their thumbnails ({kinds})."
        notes.append(element("p", text, class_="note warning"))
    centres = element(
        "details", element("summary", "Centres of the classes, as a table"), _centres(sample)
    )
    return section(
        "explore", "Images by their components", *notes, Html(asset("explore.html")), centres
    )


def explore_data(
    sample: Sample, shares: tuple[float, ...], thumbnails: Thumbnails | None
) -> dict[str, Any]:
    """What the script draws: numbers as base64 of little-endian arrays, row by row."""
    labels = sorted({label for label in sample.labels if label is not None})
    names: list[str | None] = [*labels, *([None] if None in sample.labels else [])]
    splits = sorted({split or NO_SPLIT for split in sample.splits}, key=split_order)
    label_at = {label: at for at, label in enumerate(names)}
    split_at = {split: at for at, split in enumerate(splits)}
    return {
        "count": len(sample),
        "k": sample.components.shape[1],
        "shares": [round(share, 6) for share in shares],
        "labels": [
            "(no label)" if name is None else shorten(name, _LABEL_CHARACTERS) for name in names
        ],
        "splits": [shorten(split, _LABEL_CHARACTERS) for split in splits],
        "paths": [shorten(path, _PATH_CHARACTERS) for path in sample.paths],
        "label": _base64(np.array([label_at[label] for label in sample.labels], "<u2")),
        "split": _base64(np.array([split_at[s or NO_SPLIT] for s in sample.splits], "<u2")),
        "components": _base64(sample.components.astype("<f4")),
        "thumbnails": None
        if thumbnails is None
        else {
            "side": thumbnails.side,
            "perRow": thumbnails.tiles_a_row,
            "sizes": _base64(thumbnails.sizes),
            "sheets": thumbnails.sheets,
        },
    }


def _centres(sample: Sample) -> Html:
    components = sample.components[:, :_CENTRES]
    labels = np.array(["(no label)" if label is None else label for label in sample.labels], object)
    rows: list[list[object]] = []
    names, members = np.unique(labels.astype(str), return_inverse=True)
    for at, name in enumerate(names[:_MOST_CLASSES]):
        of_class = components[members == at]
        means = (f"{mean:.2f}" for mean in of_class.mean(axis=0))
        rows.append([foreign(name), f"{len(of_class):,}", *means])
    head: list[object] = ["Class", "Images", *(f"PC{at + 1}" for at in range(components.shape[1]))]
    kinds = ["text", *("number" for _ in head[1:])]
    left_out = len(names) - len(rows)
    more = element("p", f"{left_out:,} more classes are not shown.") if left_out else ""
    return join(scrolling(table("Centres of the classes", head, rows, *kinds), "Centres"), more)


def _base64(values: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
