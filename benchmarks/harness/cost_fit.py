"""The cost of an image and of a whole job, fitted to jobs of several sizes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.estimate import Estimate

Job = Mapping[str, Any]
"""A measured job of a record: ``round``, ``images`` (a count per set of images), ``cpu_s``, …"""
_PASSES = 20
_LEAST_SECONDS = 1e-3  # a job that measured less says nothing about the machine's speed


@dataclass(frozen=True)
class CostFit:
    """Seconds of a job = fixed + images x seconds of one image, by weighted least squares.

    A job may have images of several sets, such as baseline and progressive JPEGs. Each set has its
    own cost of an image; the fixed cost is one.

    Args:
        solution: (1 + sets,) seconds: fixed, then one image of each set.
        covariance: (1 + sets, 1 + sets); infinite if there are as many jobs as unknowns.
        freedom: Jobs minus unknowns.
    """

    solution: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    freedom: int

    def image(self, shares: Sequence[float]) -> Estimate:
        """Return the milliseconds of one more image, of sets with these shares."""
        return self._estimate([0.0, *(1000 * share for share in shares)])

    def job(self, images: Sequence[float]) -> Estimate:
        """Return the seconds of a whole job with that many images of each set."""
        return self._estimate([1.0, *images])

    def _estimate(self, weights: Sequence[float]) -> Estimate:
        factors = np.asarray(weights)
        value = float(factors @ self.solution)
        if self.freedom < 1:
            return Estimate(value, math.inf, 1.0)
        variance = float(factors @ self.covariance @ factors)
        return Estimate(value, math.sqrt(max(variance, 0.0)), self.freedom)


def fit_costs(jobs: Sequence[Job], seconds: Sequence[float]) -> CostFit | None:
    """Fit the seconds of jobs to their images.

    The errors of a job are taken as proportional to its cost, because a slow machine makes all of
    a job slower. So a job's weight is the inverse square of the mean cost of jobs of its size.

    Args:
        jobs: Each with ``images``, a count per set.
        seconds: Of each job.

    Returns:
        None if the jobs have too few sizes to separate the fixed cost from the cost of an image.
    """
    if not jobs:
        return None
    design = np.asarray([[1.0, *job["images"]] for job in jobs])  # (jobs, 1 + sets)
    observed = np.asarray(seconds, dtype=np.float64)
    scale = 1 / _usual_costs(jobs, observed)
    design, observed = design * scale[:, None], observed * scale
    unknowns = design.shape[1]
    solution, _, rank, _ = np.linalg.lstsq(design, observed)
    if rank < unknowns:
        return None
    left = observed - design @ solution
    freedom = len(jobs) - unknowns
    variance = float(left @ left) / freedom if freedom > 0 else math.inf
    with np.errstate(invalid="ignore"):
        covariance = variance * np.linalg.inv(design.T @ design)
    return CostFit(solution, covariance, freedom)


def _usual_costs(jobs: Sequence[Job], seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean cost of each job's size, at least a tenth of the largest."""
    sizes = [tuple(job["images"]) for job in jobs]
    means = {
        size: float(np.mean([s for s, own in zip(seconds, sizes, strict=True) if own == size]))
        for size in set(sizes)
    }
    least = max(max(means.values()) / 10, _LEAST_SECONDS)
    return np.asarray([max(means[size], least) for size in sizes])


def round_speeds(contenders: Sequence[Sequence[Job]], key: str) -> dict[int, float]:
    """Return how slow the machine was in each round, relative to its usual speed.

    A shared machine is slower in some minutes, and all contenders of a round show it. A round's
    value is the median over the jobs of all contenders of the job's cost divided by the usual cost
    of that job, which is the same job's mean over the rounds.

    Args:
        contenders: The jobs of each contender.
        key: ``cpu_s`` or ``wall_s``.

    Returns:
        A factor by round: 1.1 if jobs took 10 % longer than usual. The geometric mean is 1.
    """
    cells = [
        (at, tuple(job["images"]), job["round"], job[key])
        for at, jobs in enumerate(contenders)
        for job in jobs
        if job[key] > _LEAST_SECONDS
    ]
    speeds = dict.fromkeys(sorted({round_ for _, _, round_, _ in cells}), 1.0)
    for _ in range(_PASSES if len(speeds) > 1 else 0):
        usual: dict[tuple[int, tuple[int, ...]], list[float]] = {}
        for at, images, round_, spent in cells:
            usual.setdefault((at, images), []).append(spent / speeds[round_])
        # A job of a single round says nothing: it would pull the round's factor to 1.
        means = {job: statistics.fmean(values) for job, values in usual.items() if len(values) > 1}
        for round_ in speeds:
            ratios = [
                spent / means[at, images]
                for at, images, round_of_job, spent in cells
                if round_of_job == round_ and (at, images) in means
            ]
            if ratios:
                speeds[round_] = statistics.median(ratios)
        middle = statistics.geometric_mean(speeds.values())
        speeds = {round_: speed / middle for round_, speed in speeds.items()}
    return speeds
