"""One trial of a search, and the table of all."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sightline.tune.classifier_head import ClassifierHead, layers_text

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """A head and its scores.

    Args:
        number: From 0, in the order of the search.
        head: What was fitted.
        state: ``complete``, ``pruned`` (stopped after some folds, because it was worse than
            most trials before it) or ``failed``.
        scores: Of each fold that was run, in their order.
        seconds: Time of the trial.
        error: Why it failed; empty for other states.
        started: Seconds from the start of the search.
    """

    number: int
    head: ClassifierHead
    state: str
    scores: tuple[float, ...]
    seconds: float
    error: str = ""
    started: float = 0.0

    @property
    def score(self) -> float | None:
        """Mean of the scores; None without any."""
        return round(sum(self.scores) / len(self.scores), 6) if self.scores else None


def best_trial(trials: Sequence[Trial], *, larger: bool) -> Trial | None:
    """Return the complete trial with the best score, the first of equal ones; None without one."""
    complete = [trial for trial in trials if trial.state == COMPLETE]
    sign = -1 if larger else 1
    return min(
        complete, key=lambda trial: (sign * (trial.score or 0.0), trial.number), default=None
    )


def trial_table(trials: Sequence[Trial], metric: str, *, larger: bool) -> str:
    """Return the trials as text, the best first, then the pruned and the failed ones."""
    order = {COMPLETE: 0, PRUNED: 1, FAILED: 2}
    ranked = sorted(trials, key=lambda trial: (order[trial.state], *_rank(trial, larger=larger)))
    lines = [f"{'trial':>5}  {'state':<8}  {metric:>9}  folds  head"]
    for trial in ranked:
        score = "-" if trial.score is None else f"{trial.score:.4f}"
        shown = f"{trial.head}  {trial.error[:60]}".rstrip()
        lines.append(
            f"{trial.number:>5}  {trial.state:<8}  {score:>9}  {len(trial.scores):>5}  {shown}"
        )
    return "\n".join(lines)


def _rank(trial: Trial, *, larger: bool) -> tuple[float, int]:
    score = trial.score or 0.0
    return (-score if larger else score, trial.number)


def write_trials(file: Path, trials: Sequence[Trial], metric: str, folds: int) -> None:
    """Write a CSV with a row for each trial. It has no times: the same seed gives the same file."""
    params = ("regParam", "elasticNetParam", "maxIter", "hiddenLayers")
    scores = [f"{metric}_fold_{fold}" for fold in range(folds)]
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["trial", "state", metric, *scores, "head", *params, "error"])
        for trial in trials:
            given = trial.head.params
            if "hiddenLayers" in given:
                given["hiddenLayers"] = layers_text(given["hiddenLayers"])
            missing = [""] * (folds - len(trial.scores))
            table.writerow(
                [
                    trial.number,
                    trial.state,
                    "" if trial.score is None else trial.score,
                    *trial.scores,
                    *missing,
                    trial.head.kind,
                    *(given.get(name, "") for name in params),
                    trial.error,
                ]
            )
