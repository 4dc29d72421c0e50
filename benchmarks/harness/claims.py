"""What Sightline promises of its cost, each held against one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.figures import spread
from harness.summary import cpu_ms, raw_limit

Regime = dict[str, Any]
_STEADY = 0.5


@dataclass(frozen=True)
class Judged:
    """A promise and what was measured.

    Args:
        regime: Its name.
        text: The promise.
        ratio: What was measured; None if it was not.
        bound: What the ratio must be at most, or at least.
        holds: None where there is no ratio.
        basis: Which figures the ratio is of.
    """

    regime: str
    text: str
    ratio: float | None
    bound: float
    holds: bool | None
    basis: str


def judge(record: dict[str, Any]) -> list[Judged]:
    """Every promise, in order."""
    regimes = {regime["name"]: regime for regime in record["regimes"] if not regime["skipped"]}
    return [claim.judge(regimes.get(claim.regime)) for claim in CLAIMS]


@dataclass(frozen=True)
class _Claim:
    regime: str
    text: str
    above: Callable[[Regime], tuple[float | None, str]]
    below: Callable[[Regime], tuple[float | None, str]]
    bound: float
    most: bool = True  # the ratio must be at most the bound; else at least

    def judge(self, regime: Regime | None) -> Judged:
        if regime is None:
            return Judged(self.regime, self.text, None, self.bound, None, "regime not measured")
        (above, above_is), (below, below_is) = self.above(regime), self.below(regime)
        basis = f"{above_is} / {below_is}"
        if above is None or below is None or below <= 0:
            return Judged(self.regime, self.text, None, self.bound, None, basis)
        ratio = above / below
        holds = ratio <= self.bound if self.most else ratio >= self.bound
        return Judged(self.regime, self.text, ratio, self.bound, holds, basis)


def _of(name: str, key: str = "cpu_ms") -> Callable[[Regime], tuple[float | None, str]]:
    """One contender's figure; none if its rounds differ too much to hold a promise against it."""

    def find(regime: Regime) -> tuple[float | None, str]:
        row = next((row for row in regime["contenders"] if row["name"] == name), None)
        if row is not None and row["warm"] and not _steady(row, key):
            return None, f"{name}, whose rounds differ by more than half"
        return cpu_ms(regime, name, key), name

    return find


def _raw(regime: Regime) -> tuple[float | None, str]:
    return raw_limit(regime), "raw-decode + raw-inference"


def _cheapest(
    documented: str, key: str = "cpu_ms", *, exact: bool = True
) -> Callable[[Regime], tuple[float | None, str]]:
    """The cheapest peer written so, of those whose rounds agree; by CPU or by wall time."""

    def find(regime: Regime) -> tuple[float | None, str]:
        found = [
            (value, row["name"])
            for row in regime["contenders"]
            if row["family"] == "peer" and row["documented"] == documented
            if (row["labels"] == "exact" or not exact)
            if (value := cpu_ms(regime, row["name"], key)) is not None and _steady(row, key)
        ]
        return min(found) if found else (None, f"no {documented} peer")

    return find


def _steady(row: dict[str, Any], key: str) -> bool:
    """Whether the rounds differ by less than half of their median: else the least is luck."""
    measured = spread([pair[key] for pair in row["warm"]])
    return measured is not None and measured.most - measured.least < _STEADY * measured.median


def _cheapest_below_fp32(regime: Regime) -> tuple[float | None, str]:
    found = [
        (value, row["name"])
        for row in regime["contenders"]
        if row["family"] == "sightline" and row["precision"] != "fp32"
        if (value := cpu_ms(regime, row["name"])) is not None and _steady(row, "cpu_ms")
    ]
    return min(found) if found else (None, "no run below fp32")


CLAIMS = (
    _Claim("heavy", "From Parquet ≤ 1.10 × raw", _of("spark-parquet"), _raw, 1.10),  # noqa: RUF001
    _Claim("heavy", "From a folder ≤ 1.20 × raw", _of("spark-folder"), _raw, 1.20),  # noqa: RUF001
    _Claim(
        "heavy",
        "From Parquet ≤ 1.05 × the cheapest tuned peer",  # noqa: RUF001
        _of("spark-parquet"),
        _cheapest("tuned"),
        1.05,
    ),
    _Claim(
        "heavy",
        "≥ 1.4 × cheaper than every peer as documented",  # noqa: RUF001
        _cheapest("documented"),
        _of("spark-parquet"),
        1.4,
        most=False,
    ),
    _Claim(
        "heavy",
        "≥ 1.4 × faster (wall) than every peer as documented",  # noqa: RUF001
        _cheapest("documented", "wall_ms"),
        _of("spark-parquet", "wall_ms"),
        1.4,
        most=False,
    ),
    _Claim(
        "heavy",
        "Below fp32 (and scaled decoding) ≥ 1.5 × cheaper again",  # noqa: RUF001
        _of("spark-parquet"),
        _cheapest_below_fp32,
        1.5,
        most=False,
    ),
    _Claim("light", "From Parquet ≤ 1.10 × raw", _of("spark-parquet"), _raw, 1.10),  # noqa: RUF001
    _Claim("light", "From a folder ≤ 1.4 × raw", _of("spark-folder"), _raw, 1.40),  # noqa: RUF001
    _Claim(
        "light",
        "From a folder ≥ 1.7 × cheaper than predict_batch_udf over binaryFile, tuned",  # noqa: RUF001
        _of("pbu-files"),
        _of("spark-folder"),
        1.7,
        most=False,
    ),
)
