"""What a run was, as the page's summary says it."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from typing import Any

from sightline.report.class_counts import split_order
from sightline.report.markup import Html, element, foreign, join, section
from sightline.report.run_folder import Record, Run, is_number, mapping, numbers

Fact = tuple[str, object]


def key_figures(run: Run) -> Html:
    """The few numbers that a reader comes for."""
    figures: list[Fact] = [("images", _integer(_images(run)))]
    if run.pca:
        explained = sum(run.pca.explained_variance)
        figures += [
            ("components of " + _integer(run.pca.features), _integer(run.pca.k)),
            ("variance explained", f"{explained:.1%}"),
        ]
        if run.pca.compression_ratio is not None:
            figures.append(("compression", f"{run.pca.compression_ratio:.3g} : 1"))
    rate = _images_a_second(run)
    if rate is not None:
        figures.append(("images/s", f"{rate:,.1f}"))
    counts = mapping(run.record, "counts")
    if "errors" in counts:
        figures.append(("errors", _integer(sum(numbers(counts, "errors").values()))))
    shown = [element("div", element("dt", name), element("dd", value)) for name, value in figures]
    return element("dl", *shown, class_="figures")


def summary_section(run: Run) -> Html:
    """Model, device, counts, versions and the command line."""
    facts = [*_model_facts(run.inference), *_pca_facts(run), *_run_facts(run)]
    shown = [
        element("div", element("dt", name), element("dd", value))
        for name, value in facts
        if value not in (None, "")
    ]
    return section(
        "summary", "Summary", element("dl", *shown, class_="facts"), *_command_lines(run)
    )


def _model_facts(inference: Record) -> list[Fact]:
    model = mapping(inference, "model")
    sha256 = model.get("sha256")
    facts: list[Fact] = [("Model", _text(model.get("name")))]
    if isinstance(sha256, str):
        facts.append(("sha256", element("code", sha256, class_="hash")))
    rest = ("backend", "device", "precision", "decoder")
    return [*facts, *((name.capitalize(), _text(model.get(name))) for name in rest)]


def _pca_facts(run: Run) -> list[Fact]:
    if run.pca is None:
        return []
    pca = run.pca
    needed = ", ".join(
        f"{float(share):.0%}: {count:,}" for share, count in _sorted_shares(pca.components_for)
    )
    return [
        ("Features", _integer(pca.features)),
        ("Components (k)", _integer(pca.k)),
        ("Fitted on", f"{_integer(pca.fitted_on)} images" if pca.fitted_on is not None else None),
        ("Components for", needed),
        ("Compression ratio", f"{pca.compression_ratio:.4g}" if pca.compression_ratio else None),
    ]


def _sorted_shares(components_for: dict[str, int]) -> list[tuple[str, int]]:
    known = []
    for share, count in components_for.items():
        try:
            known.append((float(share), share, count))
        except ValueError:
            continue
    return [(share, count) for _, share, count in sorted(known)]


def _run_facts(run: Run) -> list[Fact]:
    splits = run.record.get("splits")
    rows = {}
    for name, value in splits.items() if isinstance(splits, dict) else ():
        count = value.get("images") if isinstance(value, dict) else value
        if is_number(count):
            rows[str(name)] = count
    spark = mapping(run.record, "spark") or mapping(run.inference, "spark")
    rate = _images_a_second(run)
    predicted = mapping(run.record, "counts").get("predicted")
    return [
        ("Images", _integer(_images(run))),
        (
            "Rows",
            ", ".join(f"{name} {_integer(rows[name])}" for name in sorted(rows, key=split_order)),
        ),
        ("Predicted", _integer(predicted) if is_number(predicted) else None),
        ("Speed", f"{rate:,.1f} images/s" if rate is not None else None),
        ("Started", _date(run.record.get("started"))),
        ("Sightline", _text(run.record.get("version"))),
        ("Spark", _text(spark.get("version"))),
        ("Spark master", _text(spark.get("master"))),
        ("Application", _text(spark.get("application"))),
    ]


def _command_lines(run: Run) -> list[Html]:
    records = [run.record] if run.inference is run.record else [run.inference, run.record]
    shown = []
    for record in records:
        arguments, command = record.get("arguments"), record.get("command")
        if not arguments or not isinstance(command, str):
            continue
        if isinstance(arguments, list):
            words = [str(word) for word in arguments]
            given = words if words[:1] == [command] else [command, *words]
            shown.append(element("pre", element("code", shlex.join(given))))
        else:
            text = json.dumps(arguments, indent=2, ensure_ascii=False)
            title = element("summary", f"Arguments of {command}")
            shown.append(element("details", title, element("pre", element("code", text))))
    return [join(*shown)]


def _images(run: Run) -> float | None:
    counts = numbers(run.record, "counts")
    if "images" in counts:
        return counts["images"]
    return counts.get("rows")


def _images_a_second(run: Run) -> float | None:
    """Of the run that applied the model, all its splits together; the model's loading apart."""
    parts = [part for part in mapping(run.inference, "splits").values() if isinstance(part, dict)]
    images: list[Any] = [part.get("images") for part in parts]
    seconds: list[Any] = [part.get("seconds") for part in parts]
    if not parts or not all(map(is_number, [*images, *seconds])):
        spent = numbers(run.inference, "seconds")
        images = [numbers(run.inference, "counts").get("images", 0)]
        seconds = [
            value
            for name, value in spent.items()
            if name in ("infer", "write") or name.startswith("features")
        ]
    return sum(images) / sum(seconds) if sum(seconds) > 0 and sum(images) > 0 else None


def _text(value: object) -> Html | None:
    return None if value is None else foreign(value)


def _integer(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _date(value: object) -> Html | None:
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return foreign(value)
    zone = when.tzname() or ""
    return element("time", f"{when:%Y-%m-%d %H:%M} {zone}".strip(), datetime=when.isoformat())
