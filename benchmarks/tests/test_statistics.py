import pytest

from harness.statistics import figure, fit, spread
from harness.usage import Usage, marginal


def test_constant_costs_cancel_out_of_the_marginal_cost() -> None:
    # 3 s to start and plan, then 12 ms an image, 2 of them the JVM's.
    small = Usage(500, 9.0, 6.0, 100.0, {"jvm": 4.0, "python": 5.0})
    large = Usage(1000, 15.0, 9.0, 100.0, {"jvm": 5.0, "python": 10.0})
    assert marginal(small, large) == {
        "cpu_ms": 12.0,
        "wall_ms": 6.0,
        "cpu_ms_by": {"jvm": 2.0, "python": 10.0},
    }


def test_a_kind_of_process_of_only_one_job_counts_in_full() -> None:
    pair = marginal(
        Usage(10, 1.0, 1.0, 1.0, {"jvm": 1.0}), Usage(20, 2.0, 1.0, 1.0, {"other": 2.0})
    )
    assert pair["cpu_ms_by"] == {"jvm": -100.0, "other": 200.0}


def test_two_jobs_of_one_size_have_no_marginal_cost() -> None:
    with pytest.raises(ValueError, match="10 images are not more than 10"):
        marginal(Usage(10, 1, 1, 1), Usage(10, 2, 2, 1))


def test_a_spread_is_the_median_with_minimum_and_maximum() -> None:
    assert str(spread([14.2, 13.97, 15.0])) == "14.2 (14.0–15.0)"  # noqa: RUF001
    assert str(spread([0.3612])) == "0.36"
    assert spread([]) is None


def test_figures_have_about_three_digits() -> None:
    assert [figure(value) for value in (0.3612, 14.21, 153.4)] == ["0.36", "14.2", "153"]


def test_points_on_a_line_fit_it_and_others_do_not() -> None:
    line = fit([1, 10, 100], [7.0, 25.0, 205.0])
    assert line.slope == pytest.approx(2)
    assert line.intercept == pytest.approx(5)
    assert line.r_squared == pytest.approx(1)
    assert fit([1, 2, 3, 4], [1, 9, 1, 9]).r_squared < 0.5
