import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from harness.cost_fit import fit_costs, round_speeds
from harness.estimate import Estimate, combine, ratio

Jobs = list[dict[str, Any]]


def jobs(sizes: Sequence[tuple[int, ...]], seconds: Sequence[float], round_: int = 0) -> Jobs:
    return [
        {"round": round_, "images": list(size), "cpu_s": spent}
        for size, spent in zip(sizes, seconds, strict=True)
    ]


def test_a_fit_separates_the_fixed_cost_and_the_cost_of_an_image() -> None:
    # 3 s to plan, then 12 ms an image.
    measured = jobs([(500,), (1000,), (2000,)], [9.0, 15.0, 27.0])
    fit = fit_costs(measured, [job["cpu_s"] for job in measured])
    assert fit is not None
    assert fit.image([1.0]).value == pytest.approx(12)
    assert fit.job([500]).value == pytest.approx(9)
    assert fit.job([0]).value == pytest.approx(3)
    assert fit.image([1.0]).half_width == pytest.approx(0, abs=1e-9)


def test_each_set_of_images_has_its_own_cost_and_the_mixture_has_that_of_its_shares() -> None:
    # 2 s to plan, 50 ms a baseline JPEG, 120 ms a progressive one.
    sizes = [(22, 10), (176, 10), (22, 80)]
    measured = jobs(sizes, [2 + 0.05 * b + 0.12 * p for b, p in sizes])
    fit = fit_costs(measured, [job["cpu_s"] for job in measured])
    assert fit is not None
    assert fit.image([1.0, 0.0]).value == pytest.approx(50)
    assert fit.image([0.0, 1.0]).value == pytest.approx(120)
    assert fit.image([0.75, 0.25]).value == pytest.approx(67.5)
    assert fit.job([75, 25]).value == pytest.approx(2 + 3.75 + 3.0)


def test_a_fit_recovers_a_known_cost_from_noisy_jobs_within_its_interval() -> None:
    noise = np.random.default_rng(8)
    sizes = [(500,), (2000,)] * 3
    found: list[Estimate] = []
    for _ in range(400):
        seconds = [(3 + 0.012 * size[0]) * noise.normal(1, 0.05) for size in sizes]
        fit = fit_costs(jobs(sizes, seconds), seconds)
        assert fit is not None
        found.append(fit.image([1.0]))
    assert np.mean([one.value for one in found]) == pytest.approx(12, rel=0.01)
    within = np.mean([one.low <= 12 <= one.high for one in found])
    assert 0.92 <= within <= 0.98  # of the 95 % intervals


def test_a_slow_round_of_the_machine_does_not_change_a_cost() -> None:
    sizes = [(500,), (2000,)]
    slow = {0: 1.0, 1: 1.3, 2: 1.0}
    contenders = [
        [
            job
            for round_, factor in slow.items()
            for job in jobs(sizes, [factor * (fixed + each * size[0]) for size in sizes], round_)
        ]
        for fixed, each in ((3.0, 0.012), (1.0, 0.011), (0.0, 0.010))
    ]
    speeds = round_speeds(contenders, "cpu_s")
    assert speeds[1] / speeds[0] == pytest.approx(1.3)
    assert speeds[2] == pytest.approx(speeds[0])
    first = contenders[0]
    as_measured = fit_costs(first, [job["cpu_s"] for job in first])
    divided = fit_costs(first, [job["cpu_s"] / speeds[job["round"]] for job in first])
    assert as_measured is not None
    assert divided is not None
    assert as_measured.image([1.0]).half_width > 3
    assert divided.image([1.0]).half_width < 1e-6
    assert divided.image([1.0]).value == pytest.approx(12 * 1.3 ** (1 / 3))


def test_more_rounds_of_some_contenders_do_not_change_the_speed_of_the_first_rounds() -> None:
    first = [job for at in range(4) for job in jobs([(10,), (40,)], [1.0, 2.5], at)]
    second = [job for at in range(2) for job in jobs([(10,), (40,)], [2.0, 5.0], at)]
    speeds = round_speeds([first, second], "cpu_s")
    assert speeds == pytest.approx(dict.fromkeys(range(4), 1.0))


def test_jobs_of_one_size_have_no_cost_of_an_image() -> None:
    assert fit_costs(jobs([(500,), (500,)], [9.0, 9.1]), [9.0, 9.1]) is None
    assert fit_costs([], []) is None


def test_one_round_has_a_cost_without_an_interval() -> None:
    fit = fit_costs(jobs([(500,), (2000,)], [9.0, 27.0]), [9.0, 27.0])
    assert fit is not None
    assert fit.image([1.0]).value == pytest.approx(12)
    assert math.isinf(fit.image([1.0]).half_width)
    assert str(fit.image([1.0])) == "12.0 (one round)"


def test_an_interval_follows_students_distribution() -> None:
    # 2.776 is the 97.5 % quantile for 4 degrees of freedom.
    found = Estimate(12.0, 0.5, 4)
    assert found.half_width == pytest.approx(0.5 * 2.776, abs=1e-3)
    assert str(found) == "12.0 (10.6–13.4)"  # noqa: RUF001


def test_errors_of_sums_and_ratios_are_those_of_independent_values() -> None:
    first, second = Estimate(12.0, 0.3, 4), Estimate(10.0, 0.4, 4)
    total = combine([(1.0, first), (1.0, second)])
    assert total.value == 22.0
    assert total.error == pytest.approx(0.5)
    assert total.freedom == pytest.approx(7.42, abs=0.01)
    assert (first - second).error == pytest.approx(0.5)
    found = ratio(first, second)
    assert found.value == pytest.approx(1.2)
    assert found.error / found.value == pytest.approx(math.hypot(0.3 / 12, 0.4 / 10))
