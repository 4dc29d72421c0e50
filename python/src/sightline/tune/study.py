"""The search: Optuna chooses the trials, Spark runs them in parallel."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark import inheritable_thread_target
from pyspark.ml.evaluation import MulticlassClassificationEvaluator

from sightline.tune.classifier_head import ClassifierHead
from sightline.tune.search_space import SearchSpace
from sightline.tune.training_rows import TrainingRows
from sightline.tune.trial import COMPLETE, FAILED, PRUNED, Trial

if TYPE_CHECKING:
    import optuna

METRICS = ("accuracy", "f1", "logLoss")
_TRIALS_BEFORE_PRUNING = 5


@dataclass(frozen=True, slots=True)
class StudySettings:
    """How many trials, and how they are compared.

    Args:
        trials: At least 1.
        parallelism: Trials that run at the same time, at least 1. Another number gives other
            trials: Optuna knows the results of fewer of them when it chooses.
        metric: One of `METRICS`.
        seed: The same seed gives the same trials.
    """

    trials: int
    parallelism: int
    metric: str
    seed: int

    @property
    def larger(self) -> bool:
        """Whether a larger score is better."""
        return self.metric != "logLoss"

    @property
    def evaluator(self) -> MulticlassClassificationEvaluator:
        """MLlib's evaluator of the metric."""
        # PySpark's type of metricName lacks logLoss.
        metric: Any = self.metric
        return MulticlassClassificationEvaluator(labelCol="class", metricName=metric)


def run_study(
    space: SearchSpace,
    rows: TrainingRows,
    settings: StudySettings,
    report: Callable[[Trial], None],
) -> list[Trial]:
    """Run the trials in batches of `parallelism`, and return them in their order.

    Optuna learns the results of a batch in the order of its trials, when all have ended. So its
    choice does not depend on their speed. A trial that fails is reported, and the others run.

    Args:
        space: What is searched.
        rows: What is fitted.
        settings: Of the search.
        report: Called with each trial, in their order.
    """
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize" if settings.larger else "minimize",
        sampler=optuna.samplers.TPESampler(seed=settings.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_TRIALS_BEFORE_PRUNING),
    )
    study.enqueue_trial(space.first())
    states = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}
    done: list[Trial] = []
    begin = time.monotonic()
    # Spark's properties of a job are those of the thread that starts it.
    run = inheritable_thread_target(rows.frame.sparkSession)(_run_trial)
    with ThreadPoolExecutor(settings.parallelism) as pool:
        while len(done) < settings.trials:
            size = min(settings.parallelism, settings.trials - len(done))
            asked = [study.ask() for _ in range(size)]
            heads = [space.suggest(trial) for trial in asked]
            running = [
                pool.submit(run, trial, head, rows, settings, begin)
                for trial, head in zip(asked, heads, strict=True)
            ]
            for trial, future in zip(asked, running, strict=True):
                ended = future.result()
                value = ended.score if ended.state == COMPLETE else None
                study.tell(trial, value, state=states[ended.state])
                done.append(ended)
                report(ended)
    return done


def fit_head(head: ClassifierHead, rows: TrainingRows, seed: int) -> Any:  # noqa: ANN401 - a model of MLlib
    """Return the head, fitted on all rows."""
    return head.estimator(rows.length, len(rows.labels), seed).fit(rows.frame)


def _run_trial(
    trial: optuna.Trial,
    head: ClassifierHead,
    rows: TrainingRows,
    settings: StudySettings,
    begin: float,
) -> Trial:
    """Fit and score the head on each fold, as long as it is not much worse than other trials."""
    started = time.monotonic()
    scores: list[float] = []
    state, error = COMPLETE, ""
    context = rows.frame.sparkSession.sparkContext
    try:
        for fold in range(rows.folds):
            context.setJobDescription(f"sightline tune: trial {trial.number}, fold {fold}")
            scores.append(_score(head, rows, settings, fold))
            trial.report(sum(scores) / len(scores), fold)
            if fold + 1 < rows.folds and trial.should_prune():
                state = PRUNED
                break
    except Exception as failure:  # noqa: BLE001 - whatever a trial raises, the others run
        state, error = FAILED, _reason(failure)
    seconds = round(time.monotonic() - started, 3)
    since = round(started - begin, 3)
    return Trial(trial.number, head, state, tuple(scores), seconds, error, since)


def _score(head: ClassifierHead, rows: TrainingRows, settings: StudySettings, fold: int) -> float:
    estimator = head.estimator(rows.length, len(rows.labels), settings.seed)
    model = estimator.fit(rows.frame.where(f"fold <> {fold}"))
    score = settings.evaluator.evaluate(model.transform(rows.frame.where(f"fold = {fold}")))
    # Sums of floating-point numbers differ in the last digits if there are many partitions.
    return round(score, 6)


def _reason(failure: Exception) -> str:
    """Return one line: of an error of the JVM its class and message, without the stack."""
    java = getattr(failure, "java_exception", None)
    text = str(java.toString()) if java is not None else f"{type(failure).__name__}: {failure}"
    return " ".join(text.split())[:300]
