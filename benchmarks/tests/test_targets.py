from typing import Any

import pytest

from harness.estimate import Estimate
from harness.targets import check_targets, judge, undecided

RAW = "From Parquet ≤ 1.10 × raw"  # noqa: RUF001
CHEAPEST = "From Parquet ≤ 1.05 × the cheapest tuned peer"  # noqa: RUF001
WHOLE_JOB = "A whole warm job of 500 images ≤ 1.2 × the best tuned peer's"  # noqa: RUF001


def row(
    name: str,
    family: str,
    each_ms: float,
    fixed_s: float = 0.0,
    noise: float = 0.0,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Jobs of 500 and 2,000 images in three rounds; the noise changes sign by job."""
    jobs = [
        {
            "round": round_,
            "images": [images],
            "cpu_s": (fixed_s + each_ms * images / 1000) * (1 + sign * noise),
            "wall_s": fixed_s + each_ms * images / 2000,
        }
        for round_ in range(3)
        for images, sign in ((500, (1, -1, 1)[round_]), (2000, (-1, 1, 1)[round_]))
    ]
    described = {"documented": "tuned", "precision": "fp32", "agreement": None, "skipped": None}
    return {"name": name, "family": family, "jobs": jobs} | described | more


def heavy(*rows: dict[str, Any]) -> dict[str, Any]:
    sets = [{"title": "", "share": 1.0}]
    raw = [row("raw-inference", "raw", 10.0), row("raw-decode", "raw", 2.0)]
    regime = {"name": "heavy", "skipped": None, "sets": sets, "contenders": [*raw, *rows]}
    return {"regimes": [regime]}


def results(record: dict[str, Any]) -> dict[str, Any]:
    return {one.text: one for one in check_targets(record) if one.regime == "heavy"}


@pytest.mark.parametrize(
    ("value", "error", "kind", "verdict"),
    [
        (1.03, 0.01, "at most", "met"),
        (1.03, 0.05, "at most", "not decided"),
        (1.17, 0.05, "at most", "not decided"),
        (1.30, 0.05, "at most", "missed"),
        (1.30, 0.05, "at least", "met"),
        (1.17, 0.05, "at least", "not decided"),
        (0.90, 0.05, "at least", "missed"),
        (1.03, float("inf"), "at most", "not decided"),
    ],
)
def test_a_ratio_is_judged_only_if_its_interval_excludes_the_bound(
    value: float, error: float, kind: str, verdict: str
) -> None:
    assert judge(Estimate(value, error, 10), 1.10, kind) == verdict


def test_a_cost_without_noise_meets_or_misses_its_target() -> None:
    met = results(heavy(row("spark-parquet", "sightline", 12.6)))[RAW]
    assert met.measured.startswith("1.05 (1.05–1.05) × (spark-parquet / ")  # noqa: RUF001
    assert met.verdict == "met"
    assert results(heavy(row("spark-parquet", "sightline", 13.8)))[RAW].verdict == "missed"


def test_a_noisy_cost_is_not_decided_and_its_contenders_get_more_rounds() -> None:
    record = heavy(row("spark-parquet", "sightline", 12.6, noise=0.08))
    noisy = results(record)[RAW]
    assert noisy.verdict == "not decided"
    assert noisy.reason == "1.10 is within the interval"
    names = ["spark-parquet", "raw-inference", "raw-decode"]
    assert undecided(record["regimes"][0]) == names


def test_a_peer_counts_if_its_labels_and_its_spread_allow_it() -> None:
    wrong = {"same": 0.97, "images": 500, "verdict": "alike"}
    record = heavy(
        row("spark-parquet", "sightline", 12.6),
        row("daft", "peer", 14.0),
        row("pandas", "peer", 9.0, agreement=wrong),
        row("ray", "peer", 8.0, noise=0.5),
        row("pbu-torch", "peer", 7.0, documented="documented"),
    )
    found = results(record)[CHEAPEST]
    assert found.measured == "0.90 (0.90–0.90) × (spark-parquet / daft)"  # noqa: RUF001
    assert found.verdict == "met"


def test_a_whole_job_includes_the_fixed_cost() -> None:
    # 500 images: 3 + 6 s and 1 + 5 s.
    record = heavy(
        row("spark-parquet", "sightline", 12.0, fixed_s=3.0), row("daft", "peer", 10.0, fixed_s=1.0)
    )
    found = results(record)[WHOLE_JOB]
    assert found.measured == "1.50 (1.50–1.50) × (job of spark-parquet / daft)"  # noqa: RUF001
    assert found.verdict == "missed"


def test_a_target_of_what_was_not_measured_says_so() -> None:
    found = results(heavy())[RAW]
    assert (found.verdict, found.reason) == ("not measured", "no usable cost of spark-parquet")
    light = next(one for one in check_targets(heavy()) if one.regime == "light")
    assert (light.verdict, light.reason) == ("not measured", "no such regime")


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [((1.5, 1.9), "met"), ((10.0, 11.0), "missed"), ((1.5, 2.5), "not decided")],
)
def test_pca_is_compared_with_numpy_by_every_large_table(
    ratios: tuple[float, float], verdict: str
) -> None:
    steps = [
        {"rows": rows, "spark": {"cpu_s": times}, "raw": [{"name": "numpy", "cpu_s": 1.0}]}
        for rows, times in zip((100_000, 1_000_000), ratios, strict=True)
    ]
    small = {"rows": 10_000, "spark": {"cpu_s": 99.0}, "raw": [{"name": "numpy", "cpu_s": 1.0}]}
    found = check_targets({"regimes": [], "pca": {"steps": [small, *steps]}})[-1]
    assert found.verdict == verdict
