"""Cost targets of Sightline, each compared with a record where its spread allows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.costs import Key, Record, RegimeCosts
from harness.estimate import Estimate, ratio
from harness.statistics import figure

Verdict = Literal["met", "missed", "not decided", "not measured"]
LEAST_AGREEMENT = 0.99
_WIDE = 0.5  # half of the widest interval of a peer that may be the cheapest, relative
_NEAR = 1.15  # peers up to this multiple of the cheapest may be the cheapest


@dataclass(frozen=True)
class Cost:
    """A cost and the contenders that it is from; no value if one was not measured."""

    value: Estimate | None
    name: str
    contenders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """A target and its measured ratio.

    Args:
        regime: Name of the regime.
        text: The target.
        measured: The ratio with its interval and the figures it divides, or another measured value.
        verdict: Whether the whole interval is within the bound (met), outside of it (missed), or
            has the bound inside (not decided).
        reason: Why it is not decided or not measured; else empty.
        contenders: Whose further rounds would narrow the interval.
    """

    regime: str
    text: str
    measured: str
    verdict: Verdict
    reason: str = ""
    contenders: tuple[str, ...] = ()


Measure = Callable[[RegimeCosts], Cost]


@dataclass(frozen=True)
class Target:
    """A bound on the ratio of two costs, ``above / below``."""

    regime: str
    text: str
    above: Measure
    below: Measure
    bound: float
    kind: Literal["at most", "at least"] = "at most"

    def check(self, costs: RegimeCosts) -> Result:
        """Compare the target with the measured costs."""
        above, below = self.above(costs), self.below(costs)
        for cost in (above, below):
            if cost.value is None or cost.value.value <= 0:
                reason = f"no usable cost of {cost.name}"
                return Result(self.regime, self.text, "–", "not measured", reason)  # noqa: RUF001
        assert above.value is not None  # noqa: S101 - for the type checker
        assert below.value is not None  # noqa: S101
        found = ratio(above.value, below.value)
        measured = f"{found} × ({above.name} / {below.name})"  # noqa: RUF001
        verdict = judge(found, self.bound, self.kind)
        contenders = (*above.contenders, *below.contenders)
        reason = ""
        if verdict == "not decided":
            reason = (
                f"{figure(self.bound)} is within the interval"
                if found.half_width < float("inf")
                else "one round has no interval"
            )
        return Result(self.regime, self.text, measured, verdict, reason, contenders)


@dataclass(frozen=True)
class AgreementTarget:
    """A bound on the share of equal labels with the whole decode."""

    regime: str
    text: str
    contender: str

    def check(self, costs: RegimeCosts) -> Result:
        """Compare the target with the labels of the contender's first job."""
        agreement = costs.rows.get(self.contender, {}).get("agreement")
        if agreement is None:
            reason = f"{self.contender} has no labels"
            return Result(self.regime, self.text, "–", "not measured", reason)  # noqa: RUF001
        measured = f"{agreement['same']:.1%} of {agreement['images']:,} images"
        verdict: Verdict = "met" if agreement["same"] >= LEAST_AGREEMENT else "missed"
        return Result(self.regime, self.text, measured, verdict)


def judge(found: Estimate, bound: float, kind: str = "at most") -> Verdict:
    """Return whether the whole 95 % interval lies within the bound, or outside of it."""
    within, outside = found.high <= bound, found.low > bound
    if kind == "at least":
        within, outside = found.low >= bound, found.high < bound
    return "met" if within else "missed" if outside else "not decided"


def check_targets(record: Record) -> list[Result]:
    """Compare every target with a record, in the order of TARGETS; then the one on `pca`."""
    regimes = {
        regime["name"]: RegimeCosts(regime)
        for regime in record.get("regimes", ())
        if not regime["skipped"]
    }
    found = []
    for target in TARGETS:
        costs = regimes.get(target.regime)
        found.append(
            Result(target.regime, target.text, "–", "not measured", "no such regime")  # noqa: RUF001
            if costs is None
            else target.check(costs)
        )
    return [*found, _check_pca(record.get("pca"))]


def undecided(regime: Record) -> list[str]:
    """Return the contenders of a regime whose further rounds may decide a target."""
    costs = RegimeCosts(regime)
    names: dict[str, None] = {}
    for target in TARGETS:
        if target.regime == regime["name"]:
            result = target.check(costs)
            if result.verdict == "not decided":
                names |= dict.fromkeys(result.contenders)
    return list(names)


def _of(name: str, key: Key = "cpu_s", of: str | None = None) -> Measure:
    return lambda costs: Cost(costs.image(name, key, of), name, (name,))


def _raw(inference: str = "raw-inference") -> Measure:
    names = (inference, "raw-decode")
    return lambda costs: Cost(costs.raw(inference), f"raw-decode + {inference}", names)


def _whole_job(name: str) -> Measure:
    return lambda costs: Cost(costs.whole_job(name), f"job of {name}", (name,))


def _cheapest(documented: str, what: Callable[[RegimeCosts, str], Estimate | None]) -> Measure:
    """Return the lowest cost of the peers whose labels are right."""

    def find(costs: RegimeCosts) -> Cost:
        found = [
            (value, name)
            for name, row in costs.rows.items()
            if row["family"] == "peer" and row["documented"] == documented
            if row["agreement"] is None or row["agreement"]["same"] >= LEAST_AGREEMENT
            if (value := what(costs, name)) is not None and _is_usable(value)
        ]
        if not found:
            return Cost(None, f"a {documented} peer")
        best, name = min(found, key=lambda one: one[0].value)
        near = tuple(name for value, name in found if value.value <= _NEAR * best.value)
        return Cost(best, name, near)

    return find


def _is_usable(value: Estimate) -> bool:
    """Whether a peer may be the cheapest: luck alone must not make it so."""
    return value.value > 0 and not _WIDE * value.value < value.half_width < float("inf")


def _cheapest_image(documented: str, key: Key = "cpu_s", of: str | None = None) -> Measure:
    return _cheapest(documented, lambda costs, name: costs.image(name, key, of))


def _cheapest_reduced(costs: RegimeCosts) -> Cost:
    """Return the lowest cost of Sightline with reduced precision."""
    found = [
        (value, name)
        for name, row in costs.rows.items()
        if row["family"] == "sightline" and row["precision"] != "fp32"
        if (value := costs.image(name)) is not None
    ]
    if not found:
        return Cost(None, "a run with reduced precision")
    best, name = min(found, key=lambda one: one[0].value)
    return Cost(best, name, (name,))


def _check_pca(growth: Record | None) -> Result:
    """Compare `pca` with numpy. Each table of 100,000 rows or more is one measurement."""
    text = f"`pca` ≤ {_PCA_BOUND:g} × the CPU time of numpy, from 100,000 rows"  # noqa: RUF001
    ratios = [
        step["spark"]["cpu_s"] / raw["cpu_s"]
        for step in (growth or {}).get("steps", ())
        if step["rows"] >= _PCA_ROWS and not step["spark"].get("skipped")
        for raw in step["raw"]
        if raw["name"] == "numpy" and not raw.get("skipped")
    ]
    if not ratios:
        return Result("pca", text, "–", "not measured", "no such table")  # noqa: RUF001
    measured = ", ".join(f"{figure(one)} ×" for one in ratios)  # noqa: RUF001
    if max(ratios) <= _PCA_BOUND:
        return Result("pca", text, measured, "met")
    if min(ratios) > _PCA_BOUND:
        return Result("pca", text, measured, "missed")
    return Result("pca", text, measured, "not decided", "the tables differ")


_PCA_ROWS, _PCA_BOUND = 100_000, 2.0
_JOB_TEXT = "A whole warm job of 500 images ≤ 1.2 × the best tuned peer's"  # noqa: RUF001
_cheapest_job = _cheapest("tuned", RegimeCosts.whole_job)

TARGETS: tuple[Target | AgreementTarget, ...] = (
    Target("heavy", "From Parquet ≤ 1.10 × raw", _of("spark-parquet"), _raw(), 1.10),  # noqa: RUF001
    Target(
        "heavy",
        "From Parquet ≤ 1.00 × raw in batches of 32",  # noqa: RUF001
        _of("spark-parquet"),
        _raw("raw-inference-32"),
        1.00,
    ),
    Target("heavy", "From a folder ≤ 1.20 × raw", _of("spark-folder"), _raw(), 1.20),  # noqa: RUF001
    Target(
        "heavy",
        "From Parquet ≤ 1.05 × the cheapest tuned peer",  # noqa: RUF001
        _of("spark-parquet"),
        _cheapest_image("tuned"),
        1.05,
    ),
    Target("heavy", _JOB_TEXT, _whole_job("spark-parquet"), _cheapest_job, 1.2),
    Target(
        "heavy",
        "≥ 1.4 × cheaper than every peer as documented",  # noqa: RUF001
        _cheapest_image("documented"),
        _of("spark-parquet"),
        1.4,
        "at least",
    ),
    Target(
        "heavy",
        "≥ 1.4 × faster (wall) than every peer as documented",  # noqa: RUF001
        _cheapest_image("documented", "wall_s"),
        _of("spark-parquet", "wall_s"),
        1.4,
        "at least",
    ),
    Target(
        "heavy",
        "Reduced precision ≥ 1.5 × cheaper than fp32",  # noqa: RUF001
        _of("spark-parquet"),
        _cheapest_reduced,
        1.5,
        "at least",
    ),
    Target("light", "From Parquet ≤ 1.10 × raw", _of("spark-parquet"), _raw(), 1.10),  # noqa: RUF001
    Target("light", "From a folder ≤ 1.4 × raw", _of("spark-folder"), _raw(), 1.40),  # noqa: RUF001
    Target(
        "light",
        "From a folder ≥ 1.7 × cheaper than predict_batch_udf over binaryFile, tuned",  # noqa: RUF001
        _of("pbu-files"),
        _of("spark-folder"),
        1.7,
        "at least",
    ),
    Target("light", _JOB_TEXT, _whole_job("spark-parquet"), _cheapest_job, 1.2),
    Target(
        "camera",
        "From a folder ≤ 0.5 × the best peer as documented",  # noqa: RUF001
        _of("spark-folder"),
        _cheapest_image("documented"),
        0.5,
    ),
    Target(
        "camera",
        "From a folder ≤ 0.95 × the best tuned peer",  # noqa: RUF001
        _of("spark-folder"),
        _cheapest_image("tuned"),
        0.95,
    ),
    Target(
        "camera",
        "Baseline JPEGs from a folder ≤ 0.3 × the best peer as documented",  # noqa: RUF001
        _of("spark-folder", of="baseline"),
        _cheapest_image("documented", of="baseline"),
        0.3,
    ),
    AgreementTarget(
        "camera", "At least 99 % of the labels are those of the whole decode", "spark-folder"
    ),
)
