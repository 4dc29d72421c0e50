"""Cost targets of Sightline, each compared with a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.record import Record, cpu_ms, is_steady, raw_limit

Cost = Callable[[Record], tuple[float | None, str]]
"""Takes a regime of a record; returns a cost per image, or None, and where it is from."""


@dataclass(frozen=True)
class Result:
    """A target and its measured ratio.

    Args:
        regime: Name of the regime.
        text: The target.
        ratio: The measured ratio; None if it was not measured.
        bound: The bound of the ratio.
        holds: Whether the ratio is within the bound; None without a ratio.
        basis: The figures that the ratio divides.
    """

    regime: str
    text: str
    ratio: float | None
    bound: float
    holds: bool | None
    basis: str


def check_targets(record: Record) -> list[Result]:
    """Compare every target with a record, in the order of TARGETS."""
    regimes = {regime["name"]: regime for regime in record["regimes"] if not regime["skipped"]}
    return [target.check(regimes.get(target.regime)) for target in TARGETS]


@dataclass(frozen=True)
class _Target:
    """A bound on the ratio of two costs, ``above / below``."""

    regime: str
    text: str
    above: Cost
    below: Cost
    bound: float
    kind: Literal["at most", "at least"] = "at most"

    def check(self, regime: Record | None) -> Result:
        if regime is None:
            return Result(self.regime, self.text, None, self.bound, None, "regime not measured")
        (above, above_name), (below, below_name) = self.above(regime), self.below(regime)
        basis = f"{above_name} / {below_name}"
        if above is None or below is None or below <= 0:
            return Result(self.regime, self.text, None, self.bound, None, basis)
        ratio = above / below
        holds = ratio <= self.bound if self.kind == "at most" else ratio >= self.bound
        return Result(self.regime, self.text, ratio, self.bound, holds, basis)


def _of(name: str, key: str = "cpu_ms") -> Cost:
    """Return one contender's cost; None if its rounds vary too much."""

    def find(regime: Record) -> tuple[float | None, str]:
        row = next((row for row in regime["contenders"] if row["name"] == name), None)
        if row is not None and row["warm"] and not is_steady(row, key):
            return None, f"{name}, whose rounds differ by more than half"
        return cpu_ms(regime, name, key), name

    return find


def _raw(regime: Record) -> tuple[float | None, str]:
    return raw_limit(regime), "raw-decode + raw-inference"


def _cheapest_peer(documented: str, key: str = "cpu_ms") -> Cost:
    """Return the lowest cost of the peers with exact labels whose rounds vary little."""

    def find(regime: Record) -> tuple[float | None, str]:
        found = [
            (value, row["name"])
            for row in regime["contenders"]
            if row["family"] == "peer"
            if row["documented"] == documented and row["labels"] == "exact"
            if (value := cpu_ms(regime, row["name"], key)) is not None and is_steady(row, key)
        ]
        return min(found) if found else (None, f"no {documented} peer")

    return find


def _cheapest_reduced(regime: Record) -> tuple[float | None, str]:
    """Return the lowest cost of Sightline with reduced precision."""
    found = [
        (value, row["name"])
        for row in regime["contenders"]
        if row["family"] == "sightline" and row["precision"] != "fp32"
        if (value := cpu_ms(regime, row["name"])) is not None and is_steady(row, "cpu_ms")
    ]
    return min(found) if found else (None, "no run with reduced precision")


TARGETS = (
    _Target("heavy", "From Parquet ≤ 1.10 × raw", _of("spark-parquet"), _raw, 1.10),  # noqa: RUF001
    _Target("heavy", "From a folder ≤ 1.20 × raw", _of("spark-folder"), _raw, 1.20),  # noqa: RUF001
    _Target(
        "heavy",
        "From Parquet ≤ 1.05 × the cheapest tuned peer",  # noqa: RUF001
        _of("spark-parquet"),
        _cheapest_peer("tuned"),
        1.05,
    ),
    _Target(
        "heavy",
        "≥ 1.4 × cheaper than every peer as documented",  # noqa: RUF001
        _cheapest_peer("documented"),
        _of("spark-parquet"),
        1.4,
        "at least",
    ),
    _Target(
        "heavy",
        "≥ 1.4 × faster (wall) than every peer as documented",  # noqa: RUF001
        _cheapest_peer("documented", "wall_ms"),
        _of("spark-parquet", "wall_ms"),
        1.4,
        "at least",
    ),
    _Target(
        "heavy",
        "Reduced precision ≥ 1.5 × cheaper than fp32",  # noqa: RUF001
        _of("spark-parquet"),
        _cheapest_reduced,
        1.5,
        "at least",
    ),
    _Target("light", "From Parquet ≤ 1.10 × raw", _of("spark-parquet"), _raw, 1.10),  # noqa: RUF001
    _Target("light", "From a folder ≤ 1.4 × raw", _of("spark-folder"), _raw, 1.40),  # noqa: RUF001
    _Target(
        "light",
        "From a folder ≥ 1.7 × cheaper than predict_batch_udf over binaryFile, tuned",  # noqa: RUF001
        _of("pbu-files"),
        _of("spark-folder"),
        1.7,
        "at least",
    ),
)
