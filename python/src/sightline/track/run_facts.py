"""A run's run.json, as MLflow keeps it: parameters, metrics and tags."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sightline.errors import WrongUseError

# MLflow's own limits, in characters; a server refuses what is longer.
_LONGEST_PARAMETER = 6000
_LONGEST_METRIC_NAME = 250
_NOT_IN_A_NAME = re.compile(r"[^\w\-. :/]", re.ASCII)
_PRINCIPAL_COMPONENTS = 10


@dataclass(frozen=True)
class RunFacts:
    """What there is to log of a run, beside its files.

    Args:
        name: The model, k and the start, for people.
        started: With its time zone.
        ended: The start and the seconds of all stages.
        parameters: Name to value, at most 6000 characters; a longer one is cut and ends in "…".
        metrics: Name to a finite number. Times are in seconds, shares in 0..1.
        left_out: Names of metrics that are no finite numbers.
        tags: Name to value.
    """

    name: str
    started: datetime
    ended: datetime
    parameters: dict[str, str]
    metrics: dict[str, float]
    left_out: tuple[str, ...]
    tags: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> RunFacts:
        """The facts of a folder that `pca` wrote.

        Raises:
            WrongUseError: NOT_A_RUN, if there is no run.json of `pca` in it.
        """
        file = folder / "run.json"
        try:
            record = json.loads(file.read_text("utf-8"))
            if record["command"] != "pca":
                raise WrongUseError("NOT_A_RUN", _not_a_run(file, "it is of another command"))
            return cls._of(record)
        except OSError as error:
            raise WrongUseError("NOT_A_RUN", _not_a_run(file, str(error.strerror))) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = f"{type(error).__name__}: {error}"
            raise WrongUseError("NOT_A_RUN", _not_a_run(file, why)) from error

    @classmethod
    def _of(cls, record: dict[str, Any]) -> RunFacts:
        features = record.get("features_run") or {}
        started = datetime.fromisoformat(record["started"])
        metrics = {_metric_name(name): value for name, value in _metrics(record, features)}
        model = features.get("model", {}).get("name", "pca")
        return cls(
            name=f"{model} k={record['pca']['k']} {started:%Y-%m-%d %H:%M:%S}",
            started=started,
            ended=started + timedelta(seconds=sum(record["seconds"].values())),
            parameters={name: _cut(text) for name, text in _parameters(record, features)},
            metrics={name: float(value) for name, value in metrics.items() if _is_number(value)},
            left_out=tuple(name for name, value in metrics.items() if not _is_number(value)),
            tags={
                "mlflow.source.name": "sightline pca",
                "mlflow.source.type": "JOB",
                "sightline.command": record["command"],
                "sightline.version": record["version"],
                "spark.application": record.get("spark", {}).get("application", ""),
            },
        )


def _parameters(record: dict[str, Any], features: dict[str, Any]) -> Iterator[tuple[str, str]]:
    model = features.get("model", {})
    given: dict[str, Any] = {
        "model": model.get("name"),
        "model_sha256": model.get("sha256"),
        **{
            name: model.get(name)
            for name in ("backend", "device", "precision", "decoder", "batch_rows")
        },
        "partitions": features.get("partitions"),
        "features": record["pca"].get("features"),
        "k": record["pca"]["k"],
        "arguments": record.get("arguments"),
        "features_arguments": features.get("arguments"),
        "sightline_version": record["version"],
        "features_sightline_version": features.get("version"),
        "spark_version": record.get("spark", {}).get("version"),
        "spark_master": record.get("spark", {}).get("master"),
    }
    for name, value in given.items():
        if value is not None:
            yield name, _text(value)


def _metrics(record: dict[str, Any], features: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for stage, seconds in features.get("seconds", {}).items():
        # Both commands may have a stage of one name: the first one's say that they are of features.
        name = stage if stage.startswith("features_") else f"features_{stage}"
        yield f"{name}_seconds", seconds
    for stage, seconds in record["seconds"].items():
        yield f"{stage}_seconds", seconds
    splits = features.get("splits", {}).values()
    spent = sum(split.get("seconds", 0) for split in splits)
    alone = features.get("seconds", {}).get("infer", 0) + features.get("seconds", {}).get(
        "write", 0
    )
    if spent or alone:
        # Alone, `sightline features` takes all splits in one go.
        images = features["counts"]["images"]
        yield "images_per_second", images / (spent or alone)
    if "images" in features.get("counts", {}):
        yield "images", features["counts"]["images"]
    counts = dict(record["counts"])
    errors = counts.pop("errors", {})
    yield from counts.items()
    yield "errors", sum(errors.values())
    for code, count in errors.items():
        yield f"errors_{code}", count
    yield "classes", len(record["classes"])
    pca = record["pca"]
    shares = pca["explained_variance"]
    yield "explained_variance_total", sum(shares)
    for component, share in enumerate(shares[:_PRINCIPAL_COMPONENTS], start=1):
        yield f"explained_variance_pc_{component}", share
    for share, components in pca["components_for"].items():
        yield f"components_for_{round(float(share) * 100)}", components
    yield "compression_ratio", pca["compression_ratio"]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _metric_name(name: str) -> str:
    return _NOT_IN_A_NAME.sub("_", name)[:_LONGEST_METRIC_NAME]


def _text(value: object) -> str:
    """As a person would type it: a list is a command line."""
    if isinstance(value, list):
        return shlex.join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_PARAMETER:
        return text
    return text[: _LONGEST_PARAMETER - 1] + "…"


def _not_a_run(file: Path, why: str) -> str:
    return f"{file} is no record of a run of `pca` ({why}). Give the folder named by its --output."
