"""How many images each class has, by split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sightline.report.run_folder import Run, is_number

_MOST_ROWS = 20_000_000
_KNOWN_SPLITS = ("train", "validation", "test")
NO_SPLIT = "none"


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Images by label and split.

    Args:
        what: What the labels are: ``images`` or ``predicted``.
        counts: By label (None where not known), then by split.
        missing: Why there are no counts, a sentence; None if there are.
    """

    what: str
    counts: dict[str | None, dict[str, int]] = field(default_factory=dict)
    missing: str | None = None

    @property
    def splits(self) -> list[str]:
        """In the order of their use: train, validation, test, others, none."""
        found = {split for counts in self.counts.values() for split in counts}
        return sorted(found, key=split_order)


def split_order(split: str) -> tuple[int, str]:
    """Sorts splits: train, validation, test, others by name, none."""
    if split in _KNOWN_SPLITS:
        return _KNOWN_SPLITS.index(split), split
    return (len(_KNOWN_SPLITS) + (split == NO_SPLIT), split)


def count_classes(run: Run) -> ClassCounts:
    """Those that run.json says, else those of the Parquet, of which two columns are read."""
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
        how = f"the output is {form}" if isinstance(form, str) else "there is no Parquet"
        return ClassCounts(what, missing=f"Classes are counted in Parquet, and {how}.")
    try:
        data = dataset.dataset(files, format="parquet")
        if label[0] not in data.schema.names:
            return ClassCounts(what, missing=f"The output has no column {label[0]}.")
        rows = data.count_rows()
        if rows > _MOST_ROWS:
            reason = f"{rows:,} rows are more than a page counts ({_MOST_ROWS:,})."
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
