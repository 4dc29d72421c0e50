"""Compute features, search, and write the best classifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.ml import PipelineModel
from pyspark.ml.wrapper import JavaParams
from pyspark.sql import SparkSession

from sightline.errors import SightlineError, WrongUseError
from sightline.ml import ImageClassifier, ImageClassifierModel, ImageFeaturizer
from sightline.publish import publish_folder
from sightline.standalone.run_record import write_run_json
from sightline.tune.classifier_head import ClassifierHead
from sightline.tune.search_space import SearchSpace
from sightline.tune.study import StudySettings, fit_head, run_study
from sightline.tune.training_rows import TrainingRows, training_rows
from sightline.tune.trial import FAILED, Trial, best_trial, write_trials

PIPELINE, TRIALS = "model", "trials.csv"


@dataclass(frozen=True, slots=True)
class TuneArguments:
    """What is searched, on which images, and where the result goes.

    Args:
        images: Folder or glob of images, in a folder for each label.
        reading: Options of Sightline's data source, such as ``include``.
        stage: Params of the stages, such as ``model`` and ``backend``.
        space: The heads that are tried.
        study: Number of trials, and how they are compared.
        folds: At least 2.
        output: Folder to write.
        if_exists: Raised if `output` exists; None replaces it.
    """

    images: str
    reading: Mapping[str, str]
    stage: Mapping[str, Any]
    space: SearchSpace
    study: StudySettings
    folds: int
    output: Path
    if_exists: WrongUseError | None


@dataclass(frozen=True, slots=True)
class TuneResult:
    """The result of a search.

    Args:
        trials: All, in their order.
        best: The trial whose head was fitted on all rows.
        labels: In the order of their indices.
        rows: Images that were used.
        errors: Images without features, by the code of their error.
        unlabelled: Images without a label.
        seconds: Time of ``features``, ``trials`` and ``fit``.
    """

    trials: list[Trial]
    best: Trial
    labels: tuple[str, ...]
    rows: int
    errors: dict[str, int]
    unlabelled: int
    seconds: dict[str, float]


def run_tuning(
    spark: SparkSession,
    arguments: TuneArguments,
    report: Callable[[TrainingRows | Trial], None],
) -> TuneResult:
    """Search, fit the best head on all rows, and publish model, table and record.

    Args:
        spark: With Sightline's jar.
        arguments: All checked, except for those that the jar checks.
        report: Called with the rows when the features are ready, and with each trial.

    Raises:
        WrongUseError: NOTHING_TO_FIT; OUTPUT_EXISTS and the others of `publish_folder`.
        SightlineError: TUNING_FAILED if no trial was complete.
        pyspark.errors.AnalysisException: The errors of the stages, such as UNKNOWN_MODEL.
    """
    started = time.time()
    images = spark.read.format("sightline").options(**arguments.reading).load(arguments.images)
    classifier = ImageClassifier(**arguments.stage)
    featurizer = ImageFeaturizer(**arguments.stage, outputCol="features", handleInvalid="keep")
    study = arguments.study
    with publish_folder(arguments.output, arguments.if_exists, [arguments.images]) as folder:
        clock = time.monotonic()
        seconds: dict[str, float] = {}
        with training_rows(images, featurizer, arguments.folds, study.seed) as rows:
            clock = _lap(seconds, "features", clock)
            report(rows)
            trials = run_study(arguments.space, rows, study, report)
            clock = _lap(seconds, "trials", clock)
            best = best_trial(trials, larger=study.larger)
            if best is None:
                raise _nothing_complete(trials)
            model = _classifier(classifier, best.head, rows, study.seed)
            PipelineModel([model]).write().save((folder.absolute() / PIPELINE).as_uri())
            _lap(seconds, "fit", clock)
        result = TuneResult(
            trials, best, rows.labels, rows.rows, rows.errors, rows.unlabelled, seconds
        )
        write_trials(folder / TRIALS, trials, study.metric, arguments.folds)
        facts = _facts(spark, arguments, result, model.getOrDefault("modelSha256"))
        write_run_json(folder, "tune", started, facts)
    return result


def _classifier(
    classifier: ImageClassifier, head: ClassifierHead, rows: TrainingRows, seed: int
) -> ImageClassifierModel:
    """Return the fitted `ImageClassifier` with the head, fitted on all rows."""
    fitted = fit_head(head, rows, seed)
    classifier.setHead(head.kind).setMaxIter(head.max_iter).setRegParam(head.reg_param).setSeed(
        seed
    )
    if head.hidden_layers:
        classifier.setHiddenLayers(head.hidden_layers)
    gateway, jvm = SparkContext._gateway, SparkContext._jvm
    assert gateway is not None  # noqa: S101 - there is a session
    assert jvm is not None  # noqa: S101 - there is a session
    labels = gateway.new_array(jvm.java.lang.String, len(rows.labels))
    for index, label in enumerate(rows.labels):
        labels[index] = label
    tuned = jvm.sightline.ml.TunedClassifier.of(classifier._to_java(), labels, fitted._to_java())
    model: ImageClassifierModel = JavaParams._from_java(tuned)
    return model


def _lap(seconds: dict[str, float], name: str, since: float) -> float:
    now = time.monotonic()
    seconds[name] = round(now - since, 4)
    return now


def _nothing_complete(trials: list[Trial]) -> SightlineError:
    failed = [trial for trial in trials if trial.state == FAILED]
    first = failed[0]
    return SightlineError(
        "TUNING_FAILED",
        f"none of {len(trials)} trials is complete. {len(failed)} failed; trial {first.number} "
        f"({first.head}): {first.error}",
    )


def _facts(
    spark: SparkSession, arguments: TuneArguments, result: TuneResult, sha256: str
) -> dict[str, Any]:
    study = arguments.study
    return {
        "seconds": result.seconds,
        "arguments": {
            "images": arguments.images,
            **arguments.reading,
            "folds": arguments.folds,
            **asdict(study),
            "space": asdict(arguments.space),
        },
        "model": {**arguments.stage, "sha256": sha256},
        "counts": {
            "images": result.rows + sum(result.errors.values()) + result.unlabelled,
            "used": result.rows,
            "unlabelled": result.unlabelled,
            "errors": result.errors,
        },
        "labels": result.labels,
        "metric": study.metric,
        "best": _trial_facts(result.best),
        "trials": [_trial_facts(trial) for trial in result.trials],
        "worker": _counters(spark),
        "spark": {
            "version": spark.version,
            "master": spark.sparkContext.master,
            "application": spark.sparkContext.applicationId,
        },
        "versions": {"optuna": metadata.version("optuna")},
    }


def _counters(spark: SparkSession) -> dict[str, float]:
    """Return the sums of the workers' counters in this application, such as ``decoded``."""
    jvm = SparkContext._jvm
    assert jvm is not None  # noqa: S101 - there is a session
    values = jvm.sightline.schedule.WorkerCounters.of(spark.sparkContext._jsc.sc()).values()
    return dict(jvm.scala.jdk.javaapi.CollectionConverters.asJava(values))


def _trial_facts(trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "state": trial.state,
        "score": trial.score,
        "scores": trial.scores,
        "head": trial.head.kind,
        "params": trial.head.params,
        "started": trial.started,
        "seconds": trial.seconds,
        **({"error": trial.error} if trial.error else {}),
    }
