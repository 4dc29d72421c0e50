"""Parts of the page that are the same for every run: classes, errors, times."""

from __future__ import annotations

from sightline.report.class_counts import NO_SPLIT, ClassCounts
from sightline.report.markup import Html, bar, element, foreign, scrolling, section, table
from sightline.report.run_folder import Record, Run, mapping, numbers

_MOST_CLASSES = 500
_MOST_SAMPLES = 20
# Rows that are seen at once; more of them scroll in a box of their own.
_ROWS_SHOWN = 12
_COLOURED_SPLITS = 4


def class_section(classes: ClassCounts) -> Html:
    """A bar and the counts of each class."""
    title = "Classes" if classes.what == "images" else "Predicted classes"
    if classes.missing is not None:
        return section("classes", title, element("p", classes.missing))
    splits = classes.splits
    if not splits:
        return section("classes", title, element("p", "There are no images to count."))
    most = max(sum(counts.values()) for counts in classes.counts.values()) or 1
    shown = list(classes.counts.items())[:_MOST_CLASSES]
    rows: list[list[object]] = [
        [
            foreign("(no label)" if label is None else label),
            bar(*((_part(at), counts.get(split, 0) / most) for at, split in enumerate(splits))),
            *(f"{counts.get(split, 0):,}" for split in splits),
        ]
        for label, counts in shown
    ]
    names = ["images" if split == NO_SPLIT else foreign(split) for split in splits]
    heads: list[object] = ["Class", "", *names]
    heads[2:] = [element("span", name, class_=f"key {_part(at)}") for at, name in enumerate(names)]
    kinds = ["text", "bars", *("number" for _ in splits)]
    body = table("Images of each class", heads, rows, *kinds)
    left_out = len(classes.counts) - len(shown)
    more = [element("p", f"{left_out:,} more classes are not shown.")] if left_out else []
    count = f"{len(classes.counts):,} classes" if len(classes.counts) != 1 else "1 class"
    return section(
        "classes",
        title,
        element("p", f"{count}; the longest bar is {most:,} images.", class_="note"),
        scrolling(body, "Classes") if len(shown) > _ROWS_SHOWN else body,
        *more,
    )


def error_section(run: Run) -> Html:
    """Errors by kind, and some of them."""
    counts = mapping(run.record, "counts")
    errors = numbers(counts, "errors")
    if not errors:
        told = "None: no image failed." if "errors" in counts else "run.json counts none."
        return section("errors", "Errors", element("p", told))
    most = max(errors.values()) or 1
    rows: list[list[object]] = [
        [element("code", code), bar(("error", count / most)), f"{count:,.0f}"]
        for code, count in sorted(errors.items(), key=lambda item: (-item[1], item[0]))
    ]
    kinds = table("Errors by kind", ["Kind", "", "Images"], rows, "text", "bars", "number")
    return section("errors", "Errors", kinds, *_samples(run.record))


def _samples(record: Record) -> list[Html]:
    listed = record.get("error_samples")
    found = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    rows: list[list[object]] = [
        [
            foreign(row.get("path", "")),
            element("code", foreign(row.get("code", ""))),
            foreign(row.get("stage", "")),
            foreign(row.get("message", "")),
        ]
        for row in found[:_MOST_SAMPLES]
    ]
    if not rows:
        return []
    head: list[object] = ["Image", "Kind", "Stage", "Message"]
    shown = table("Some images with errors", head, rows, "text", "text", "text", "text")
    stacked = element("div", shown, class_="stacked")
    title = element("h3", f"The first {len(rows)}" if len(rows) > 1 else "The first")
    return [title, stacked]


def time_section(run: Run) -> Html:
    """Seconds of each stage, of this run and of the one whose features it used."""
    inference = [] if run.inference is run.record else [("features", run.inference)]
    stages = [
        (command, stage, seconds)
        for command, record in [*inference, (run.command, run.record)]
        for stage, seconds in numbers(record, "seconds").items()
        if seconds >= 0
    ]
    if not stages:
        return section("times", "Time", element("p", "run.json tells no times."))
    most = max(seconds for _, _, seconds in stages) or 1
    rows: list[list[object]] = [
        [
            foreign(stage.replace("_", " ")),
            foreign(command),
            bar(("train", seconds / most)),
            f"{seconds:,.2f} s",
        ]
        for command, stage, seconds in stages
    ]
    total = sum(seconds for _, _, seconds in stages)
    head: list[object] = ["Stage", "Command", "", "Seconds"]
    body = table("Seconds of each stage", head, rows, "text", "text", "bars", "number")
    return section("times", "Time", element("p", f"{total:,.1f} s together.", class_="note"), body)


def _part(at: int) -> str:
    return f"part-{min(at, _COLOURED_SPLITS - 1)}"
