"""The page's plot of images by their components: its table, and the data of its script."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.report.class_counts import NO_LABEL, NO_SPLIT, split_order
from sightline.report.sample import Sample
from sightline.report.thumbnails import Thumbnails

_LABEL_CHARACTERS = 200
_PATH_CHARACTERS = 1000
_CENTRE_COMPONENTS = 3


def explore_view(sample: Sample, thumbnails: Thumbnails | None, of: int) -> dict[str, Any]:
    """Return what the template shows beside the plot.

    Args:
        sample: The images of the plot.
        thumbnails: Their pictures; None if the page has none.
        of: Number of images of the run.
    """
    components = sample.components[:, :_CENTRE_COMPONENTS]
    labels = [NO_LABEL if label is None else label for label in sample.labels]
    names, members = np.unique(np.array(labels, object).astype(str), return_inverse=True)
    centres = [
        {
            "label": name,
            "images": int((members == at).sum()),
            "means": components[members == at].mean(axis=0),
        }
        for at, name in enumerate(names)
    ]
    return {
        "shown": len(sample),
        "of": of,
        "errors": None if thumbnails is None else thumbnails.errors,
        "centre_columns": [(f"PC{at + 1}", "number") for at in range(components.shape[1])],
        "centres": centres,
    }


def explore_data(
    sample: Sample, shares: tuple[float, ...], thumbnails: Thumbnails | None
) -> dict[str, Any]:
    """Return the script's data; arrays are base64 of little-endian numbers, row by row."""
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
            NO_LABEL if name is None else shorten(name, _LABEL_CHARACTERS) for name in names
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
            "perRow": thumbnails.tiles_per_row,
            "sizes": _base64(thumbnails.sizes),
            "sheets": thumbnails.sheets,
        },
    }


def shorten(text: str, characters: int) -> str:
    """Return the text; if it is longer than so many characters, without its middle."""
    if len(text) <= characters:
        return text
    half = (characters - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _base64(values: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
