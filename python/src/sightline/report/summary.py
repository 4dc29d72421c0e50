"""What the page's summary shows about a run: key figures, facts and command lines."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sightline.report.class_counts import split_order
from sightline.report.run_folder import Record, Run, is_number, mapping, numbers


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the summary.

    Args:
        name: What the fact is about.
        value: The fact as text.
        kind: ``ours`` for text of Sightline, ``run`` for text of the run, ``hash`` or ``time``.
        machine: The time as ISO 8601; empty for other kinds.
    """

    name: str
    value: str
    kind: Literal["ours", "run", "hash", "time"] = "ours"
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the run.

    Args:
        name: Name of the command.
        line: Its command line; empty if run.json has its arguments as an object.
        arguments: That object as JSON; empty if there is a command line.
    """

    name: str
    line: str = ""
    arguments: str = ""


def key_figures(run: Run) -> list[tuple[str, str]]:
    """Return the names and values of the most important numbers."""
    figures = [("images", _integer(_images(run)))]
    if run.pca:
        explained = sum(run.pca.explained_variance)
        figures += [
            ("components of " + _integer(run.pca.features), _integer(run.pca.k)),
            ("variance explained", f"{explained:.1%}"),
        ]
        if run.pca.compression_ratio is not None:
            figures.append(("compression", f"{run.pca.compression_ratio:.3g} : 1"))
    rate = _images_per_second(run)
    if rate is not None:
        figures.append(("images/s", f"{rate:,.1f}"))
    counts = mapping(run.record, "counts")
    if "errors" in counts:
        figures.append(("errors", _integer(sum(numbers(counts, "errors").values()))))
    return figures


def facts(run: Run) -> list[Fact]:
    """Return the facts about the model, the PCA, the counts and the versions."""
    return [fact for fact in (*_model_facts(run), *_pca_facts(run), *_run_facts(run)) if fact.value]


def model_words(run: Run) -> list[str]:
    """Return the model's name, its backend, its device and the date of the run."""
    model = mapping(run.inference, "model")
    words = [model.get(name) for name in ("name", "backend", "device")]
    started = run.record.get("started")
    date = started[:10] if isinstance(started, str) else None
    return [str(word) for word in [*words, date] if word]


def shown_commands(run: Run) -> list[Command]:
    """Return the commands of the run, with the command that made its features first."""
    records = [run.record] if run.inference is run.record else [run.inference, run.record]
    commands = []
    for record in records:
        arguments, name = record.get("arguments"), record.get("command")
        if not arguments or not isinstance(name, str):
            continue
        if isinstance(arguments, list):
            words = [str(word) for word in arguments]
            given = words if words[:1] == [name] else [name, *words]
            commands.append(Command(name, line=shlex.join(given)))
        else:
            text = json.dumps(arguments, indent=2, ensure_ascii=False)
            commands.append(Command(name, arguments=text))
    return commands


def _model_facts(run: Run) -> list[Fact]:
    model = mapping(run.inference, "model")
    sha256 = model.get("sha256")
    rest = ("backend", "device", "precision", "decoder")
    return [
        _from_run("Model", model.get("name")),
        Fact("sha256", sha256 if isinstance(sha256, str) else "", "hash"),
        *(_from_run(name.capitalize(), model.get(name)) for name in rest),
    ]


def _pca_facts(run: Run) -> list[Fact]:
    if run.pca is None:
        return []
    pca = run.pca
    needed = ", ".join(
        f"{share:.0%}: {count:,}" for share, count in _sorted_shares(pca.components_for)
    )
    fitted_on = "" if pca.fitted_on is None else f"{_integer(pca.fitted_on)} images"
    ratio = f"{pca.compression_ratio:.4g}" if pca.compression_ratio else ""
    return [
        Fact("Features", _integer(pca.features)),
        Fact("Components (k)", _integer(pca.k)),
        Fact("Fitted on", fitted_on),
        Fact("Components for", needed),
        Fact("Compression ratio", ratio),
    ]


def _sorted_shares(components_for: dict[str, int]) -> list[tuple[float, int]]:
    known = []
    for share, count in components_for.items():
        try:
            known.append((float(share), count))
        except ValueError:
            continue
    return sorted(known)


def _run_facts(run: Run) -> list[Fact]:
    splits = run.record.get("splits")
    rows = {}
    for name, value in splits.items() if isinstance(splits, dict) else ():
        count = value.get("images") if isinstance(value, dict) else value
        if is_number(count):
            rows[str(name)] = count
    spark = mapping(run.record, "spark") or mapping(run.inference, "spark")
    rate = _images_per_second(run)
    predicted = mapping(run.record, "counts").get("predicted")
    by_split = (f"{name} {_integer(rows[name])}" for name in sorted(rows, key=split_order))
    return [
        Fact("Images", _integer(_images(run))),
        Fact("Rows", ", ".join(by_split)),
        Fact("Predicted", _integer(predicted) if is_number(predicted) else ""),
        Fact("Speed", "" if rate is None else f"{rate:,.1f} images/s"),
        _time("Started", run.record.get("started")),
        _from_run("Sightline", run.record.get("version")),
        _from_run("Spark", spark.get("version")),
        _from_run("Spark master", spark.get("master")),
        _from_run("Application", spark.get("application")),
    ]


def _images(run: Run) -> float | None:
    counts = numbers(run.record, "counts")
    return counts["images"] if "images" in counts else counts.get("rows")


def _images_per_second(run: Run) -> float | None:
    """Speed of the run that applied the model, over all splits, without loading the model."""
    inference: Record = run.inference
    parts = [part for part in mapping(inference, "splits").values() if isinstance(part, dict)]
    images: list[Any] = [part.get("images") for part in parts]
    seconds: list[Any] = [part.get("seconds") for part in parts]
    if not parts or not all(map(is_number, [*images, *seconds])):
        spent = numbers(inference, "seconds")
        images = [numbers(inference, "counts").get("images", 0)]
        seconds = [
            value
            for name, value in spent.items()
            if name in ("infer", "write") or name.startswith("features")
        ]
    return sum(images) / sum(seconds) if sum(seconds) > 0 and sum(images) > 0 else None


def _integer(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _from_run(name: str, value: object) -> Fact:
    return Fact(name, "" if value is None else str(value), "run")


def _time(name: str, value: object) -> Fact:
    if not isinstance(value, str):
        return Fact(name, "")
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return Fact(name, value, "run")
    shown = f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip()
    return Fact(name, shown, "time", when.isoformat())
