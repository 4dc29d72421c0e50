"""Count the images of each class and split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sightline.report.run_folder import Run, is_number

_MOST_ROWS = 20_000_000
_KNOWN_SPLITS = ("train", "validation", "test")
NO_SPLIT = "none"
NO_LABEL = "(no label)"
_COLOURED_SPLITS = 4


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Number of images by label and split.

    Args:
        what: ``images`` for true labels, ``predicted`` for predicted ones.
        counts: Numbers by label (None if unknown), then by split.
        missing: A sentence that states why there are no counts; None if there are.
    """

    what: str
    counts: dict[str | None, dict[str, int]] = field(default_factory=dict)
    missing: str | None = None

    @property
    def splits(self) -> list[str]:
        """All splits, in the order train, validation, test, others, none."""
        found = {split for counts in self.counts.values() for split in counts}
        return sorted(found, key=split_order)

    @property
    def largest(self) -> int:
        """Number of images of the largest class."""
        return max(sum(counts.values()) for counts in self.counts.values())

    def rows(self, most: int) -> list[dict[str, Any]]:
        """Return the first classes, at most so many, as rows of a table.

        Returns:
            For each class its ``label``, its ``counts`` by split, and ``shares``: the CSS class
            and the width, 0..1, of each part of its bar.
        """
        splits, whole = self.splits, self.largest or 1
        rows = []
        for label, by_split in list(self.counts.items())[:most]:
            counts = [by_split.get(split, 0) for split in splits]
            shares = [
                (f"part-{min(at, _COLOURED_SPLITS - 1)}", count / whole)
                for at, count in enumerate(counts)
            ]
            shown = NO_LABEL if label is None else label
            rows.append({"label": shown, "counts": counts, "shares": shares})
        return rows


def split_order(split: str) -> tuple[int, str]:
    """Return a sort key for splits: train, validation, test, others by name, none."""
    if split in _KNOWN_SPLITS:
        return _KNOWN_SPLITS.index(split), split
    return (len(_KNOWN_SPLITS) + (split == NO_SPLIT), split)


def count_classes(run: Run) -> ClassCounts:
    """Read the counts from run.json, or count the rows of the Parquet output."""
    if run.pca:
        listed = run.record.get("classes")
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        return ClassCounts(
            "images",
            {
                None if row.get("label") is None else str(row["label"]): {
                    split: int(count)
                    for split, count in row.items()
                    if split != "label" and is_number(count)
                }
                for row in rows
            },
            None if rows else "run.json lists no classes.",
        )
    if run.command == "predict":
        return _count(run, "predicted", ("prediction", "label"))
    return _count(run, "images", ("label",))


def _count(run: Run, what: str, label: tuple[str, ...]) -> ClassCounts:
    from pyarrow import dataset

    files = _parquet(run.folder)
    if not files:
        form = run.record.get("format")
        how = f"the output is {form}" if isinstance(form, str) else "there is none"
        return ClassCounts(what, missing=f"Classes are only counted in Parquet, and {how}.")
    try:
        data = dataset.dataset(files, format="parquet")
        if label[0] not in data.schema.names:
            return ClassCounts(what, missing=f"The output has no column {label[0]}.")
        rows = data.count_rows()
        if rows > _MOST_ROWS:
            reason = f"The output has {rows:,} rows; the page counts {_MOST_ROWS:,} at most."
            return ClassCounts(what, missing=reason)
        columns = {"label": dataset.field(*label)}
        if "split" in data.schema.names:
            columns["split"] = dataset.field("split")
        table = pa.TableGroupBy(data.to_table(columns=columns), list(columns)).aggregate(
            [([], "count_all")]
        )
    except (OSError, pa.ArrowException) as error:
        return ClassCounts(what, missing=f"The Parquet cannot be read: {error}")
    counts: dict[str | None, dict[str, int]] = {}
    ordered = table.take(pc.sort_indices(table, [("label", "ascending")]))
    for row in ordered.to_pylist():
        of_label = counts.setdefault(row["label"], {})
        of_label[row.get("split") or NO_SPLIT] = row["count_all"]
    return ClassCounts(what, counts)


def _parquet(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*.parquet")
        if not any(part.startswith(("_", ".")) for part in file.relative_to(folder).parts)
    )
