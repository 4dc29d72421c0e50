"""Convert the run.json of `pca` to MLflow's parameters, metrics and tags."""

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

# MLflow's limits in characters; a server rejects longer texts.
_LONGEST_PARAMETER = 6000
_LONGEST_METRIC_NAME = 250
_NOT_IN_A_NAME = re.compile(r"[^\w\-. :/]", re.ASCII)
_PRINCIPAL_COMPONENTS = 10


@dataclass(frozen=True)
class RunFacts:
    """Parameters, metrics and tags of a run.

    Args:
        name: Model, k and start time, for people.
        started: Start time with a time zone.
        ended: Start time plus the seconds of all stages.
        parameters: Texts by name, at most 6000 characters; longer ones are cut and end in "…".
        metrics: Finite numbers by name. Times are in seconds, shares in 0..1.
        left_out: Names of metrics that are not finite numbers.
        tags: Texts by name.
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
        """Read the run.json of an output folder of `pca`.

        Raises:
            WrongUseError: NOT_A_RUN if the folder has no run.json of `pca`.
        """
        file = folder / "run.json"
        try:
            record = json.loads(file.read_text("utf-8"))
            if record["command"] != "pca":
                raise WrongUseError("NOT_A_RUN", _not_a_run(file, "another command wrote it"))
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
        # Both commands may have a stage with the same name.
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
        # `sightline features` without Spark does not measure the splits separately.
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
    """Return text as a person would type it: a list becomes a command line."""
    if isinstance(value, list):
        return shlex.join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_PARAMETER:
        return text
    return text[: _LONGEST_PARAMETER - 1] + "…"


def _not_a_run(file: Path, why: str) -> str:
    return f"{file} is not the record of a `pca` run ({why}). Give the output folder of pca."
