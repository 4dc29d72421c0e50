"""The costs of one regime of a record: one more image, a whole job, and the raw parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

from harness.cost_fit import CostFit, fit_costs, round_speeds
from harness.estimate import Estimate, combine

Record = dict[str, Any]
Key = Literal["cpu_s", "wall_s"]
WHOLE_JOB = 500
"""Images of the job whose whole cost is printed."""


class RegimeCosts:
    """Estimates from the jobs of one regime.

    Args:
        regime: From a record.
    """

    def __init__(self, regime: Record) -> None:
        self.regime = regime
        self.rows = {row["name"]: row for row in regime.get("contenders", ()) if row["jobs"]}
        self._fits: dict[tuple[str, str], CostFit | None] = {}

    @cached_property
    def shares(self) -> list[float]:
        """The share of each set of images."""
        return [images["share"] for images in self.regime["sets"]]

    @cached_property
    def _speeds(self) -> dict[str, dict[int, float]]:
        jobs = [row["jobs"] for row in self.rows.values()]
        return {key: round_speeds(jobs, key) for key in ("cpu_s", "wall_s")}

    def image(self, name: str, key: Key = "cpu_s", of: str | None = None) -> Estimate | None:
        """Return the milliseconds of one more image; None if it was not measured.

        Args:
            name: Of the contender.
            key: ``cpu_s``: CPU time; ``wall_s``: elapsed time.
            of: Title of a set of images; None: all sets by their shares.
        """
        fit = self._fit(name, key)
        if fit is None:
            return None
        titles = [images["title"] for images in self.regime["sets"]]
        return fit.image(self.shares if of is None else [float(title == of) for title in titles])

    def whole_job(self, name: str) -> Estimate | None:
        """Return the CPU seconds of a whole warm job of 500 images."""
        fit = self._fit(name, "cpu_s")
        return None if fit is None else fit.job([WHOLE_JOB * share for share in self.shares])

    def raw(self, inference: str = "raw-inference", of: str | None = None) -> Estimate | None:
        """Return the CPU-ms of raw inference and the cheapest raw decoding."""
        model = self.image(inference, of=of)
        names = ("raw-decode", "raw-decode-scaled")
        decoding = [found for name in names if (found := self.image(name, of=of)) is not None]
        if model is None or not decoding:
            return None
        cheapest = min(decoding, key=lambda found: found.value)
        return combine([(1.0, model), (1.0, cheapest)])

    def beside_model(self, name: str) -> Estimate | None:
        """Return the CPU-ms of an image for everything but the model."""
        whole, model = self.image(name), self.image("raw-inference")
        return None if whole is None or model is None else whole - model

    def slope(self, name: str, value: Callable[[Mapping[str, Any]], float]) -> float | None:
        """Return how a value of the jobs grows with an image, such as a counter of the engine."""
        jobs = self.rows[name]["jobs"]
        fit = fit_costs(jobs, [value(job) for job in jobs])
        return None if fit is None else fit.image(self.shares).value / 1000

    def _fit(self, name: str, key: Key) -> CostFit | None:
        if (name, key) not in self._fits:
            row, speeds = self.rows.get(name), self._speeds[key]
            usable = row is not None and not row["skipped"]
            jobs = row["jobs"] if row is not None and usable else []
            seconds = [job[key] / speeds.get(job["round"], 1.0) for job in jobs]
            self._fits[name, key] = fit_costs(jobs, seconds)
        return self._fits[name, key]


def stages(costs: RegimeCosts, name: str) -> dict[str, float] | None:
    """Return the time of one image by stage, for a contender with the engine's counters.

    Returns:
        Milliseconds. CPU time: ``jvm``, the stages of the worker, and ``worker, other`` for the
        rest of the Python processes. Elapsed time: the waits. None without counters.
    """
    jobs = costs.rows[name]["jobs"] if name in costs.rows else []
    counters = {key for job in jobs for key in job.get("counters", {})}
    if "images" not in counters:
        return None

    def milliseconds(kind: str, key: str) -> float:
        slope = costs.slope(name, lambda job: job.get(kind, {}).get(key, 0.0))
        return 1000 * (slope or 0.0)

    worker = {
        title: milliseconds("counters", key) for key, title in _STAGES.items() if key in counters
    }
    parts = {"jvm": milliseconds("cpu_by", "jvm"), **worker}
    parts["worker, other"] = milliseconds("cpu_by", "python") - sum(worker.values())
    waits = {
        title: milliseconds("counters", key) for key, title in _WAITS.items() if key in counters
    }
    return parts | waits


# Counters of the worker in run.json, CPU seconds, and their names in tables.
_STAGES = {
    "read_cpu_s": "read",
    "decode_cpu_s": "decode",
    "infer_cpu_s": "infer",
    "result_cpu_s": "result",
}
# Counters of elapsed seconds.
_WAITS = {"read_wait_s": "waited for input", "thread_wait_s": "waited for a worker thread"}
