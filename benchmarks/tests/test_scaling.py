import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.collection_sizes import make_sizes
from harness.statistics import Exponent, fit_growth

MACHINE = {"processor": "A chip", "cores": 2, "memory_gib": 8.0, "system": "Linux", "gpu": "none"}
MEASURED = {
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 600.0,
    "machine": MACHINE,
    "versions": {"python": "3.11"},
    "commit": "abc+changes",
}


def step(images: int, features_s: float, pca_s: float) -> dict[str, Any]:
    used: dict[str, float] = {"cpu_s": 2 * features_s, "jvm_mib": 600, "worker_mib": 300}
    return {
        "name": f"{images // 100} %",
        "images": images,
        "features": {"wall_s": features_s, **used},
        "pca": {"wall_s": pca_s, **used, "cpu_s": pca_s},
    }


@pytest.fixture
def scaling() -> dict[str, Any]:
    """20 s to start, and 9 + 1 ms an image."""
    steps = [
        step(count, 12 + 0.009 * count, 8 + 0.001 * count) for count in (100, 500, 1000, 10_000)
    ]
    failed = {"name": "5 times", "images": 50_000, "skipped": "sightline: it ended"}
    raw = [
        {"name": "`sightline features`, no Spark", "images": 10_000, "wall_ms": 7.5, "cpu_ms": 15},
        {"name": "raw decoding, bytes in memory", "images": 800, "wall_ms": 1.0, "cpu_ms": 1.0},
        {"name": "raw inference", "images": 800, "wall_ms": 14.0, "cpu_ms": 14.0},
    ]
    described = {"collection": "fruits/dev", "model": "m", "k": 50, "rounds": 1}
    priced = {"price_per_hour": 0.36, "steps": [*steps, failed], "raw": raw}
    return MEASURED | described | priced


@pytest.fixture
def growth() -> dict[str, Any]:
    def pca(rows: int, wall_s: float) -> dict[str, Any]:
        spark: dict[str, Any] = {"wall_s": wall_s, "cpu_s": 2 * wall_s, "start_s": 9.0}
        spark |= {"jvm_mib": 800, "heap_mib": 200, "collections": 9, "seconds": {"pca_fit": 3.0}}
        numpy = {"name": "numpy", "wall_s": wall_s / 4, "cpu_s": wall_s}
        return {"rows": rows, "spark": spark, "raw": [numpy | {"peak_mib": 300, "apart": 2e-7}]}

    steps = [pca(10_000, 10.0), pca(100_000, 28.0)]
    steps[1]["raw"].append({"name": "scikit-learn", "skipped": "needs 90 GiB"})
    return MEASURED | {"features": 1280, "k": 50, "driver_memory": "2g", "steps": steps}


def page_of(record: dict[str, Any], folder: Path) -> str:
    (folder / "results.json").write_text(json.dumps({"format": 2} | record))
    options = ["--results", str(folder / "results.json"), "--output", str(folder / "page.md")]
    assert main(["report", "--page", "growth", *options]) == 0
    return (folder / "page.md").read_text()


def test_a_fit_separates_start_up_and_time_per_image() -> None:
    images = [50, 500, 5000, 50_000]
    line = fit_growth(images, [20 + 0.01 * count for count in images])
    assert line is not None
    assert line.startup_s == pytest.approx(20)
    assert line.per_image_ms == pytest.approx(10)
    assert line.exponent == Exponent(1, 1, 1)
    assert max(map(abs, line.residuals_s)) < 1e-9


@pytest.mark.parametrize("exponent", [0.5, 1.3, 2.0])
def test_nonlinear_growth_has_another_exponent(exponent: float) -> None:
    images = [50, 500, 5000, 50_000]
    line = fit_growth(images, [20 + 1e-3 * count**exponent for count in images])
    assert line is not None
    assert line.exponent is not None
    assert line.exponent.best == pytest.approx(exponent, abs=0.02)
    assert not line.exponent.least <= 1 <= line.exponent.most


def test_noise_widens_the_range_of_the_exponent() -> None:
    images = [50, 500, 5000, 50_000, 100_000]
    noise = [0.5, -0.5, 1.0, -8.0, 8.0]
    seconds = [20 + 0.01 * count + off for count, off in zip(images, noise, strict=True)]
    line = fit_growth(images, seconds)
    assert line is not None
    assert line.exponent is not None
    assert line.exponent.least < 1 < line.exponent.most


def test_one_size_has_no_fit() -> None:
    assert fit_growth([48, 48], [20, 21]) is None


def test_the_page_has_each_size_the_fit_the_cost_and_the_raw_limit(
    scaling: dict[str, Any], tmp_path: Path
) -> None:
    page = page_of({"scaling": scaling}, tmp_path)
    # 10,000 images: 102 s and 18 s; 120 s of a machine at 0.36 an hour is 0.012.
    assert "| 100 % | 10,000 | 102 | 18.0 | 120 | +0.0 | 83.3 | 222 | 0.0012 |" in page
    assert "| both | 20.0 | 10.0 | 1.0000 | +0.0 | 1.00 (1.00–1.00) |" in page  # noqa: RUF001
    assert "an **assumed 0.36 an hour**" in page
    assert "0.001 for 1,000 more images, 1 for a million, and 0.002 for each start" in page
    assert "- 5 times (50,000 images): sightline: it ended" in page
    assert "| `sightline features`, no Spark, 10,000 images | 7.50 | 15.0 | 1.20 | 1.20 |" in page
    assert "| **Raw: decoding + inference** | | **15.0** | | 1.20 |" in page
    assert "A chip, 2 cores, 8.0 GiB, GPU: none; commit abc+changes." in page


def test_the_page_has_time_and_memory_by_rows(growth: dict[str, Any], tmp_path: Path) -> None:
    page = page_of({"pca": growth}, tmp_path)
    assert "| 10,000 | 10.0 | 20.0 |  |  | 800 | 200 |" in page
    assert "| 100,000 | 28.0 | 56.0 | 0.200 | 0.400 | 800 | 200 |" in page
    assert "10 times the rows: 1.00 times the peak memory of the JVM, 1.00 times the heap" in page
    assert "| 10,000 | numpy | 2.50 | 300 | 4.00 | 2.00 |  | differs by at most 2e-07 |" in page
    assert "| 100,000 | numpy | 7.00 | 300 | 4.00 | 2.00 | 2.00 | differs by at most 2e-07" in page
    assert "| 100,000 | scikit-learn | not measured: needs 90 GiB |" in page


def test_a_variance_that_differs_from_numpy_is_marked_wrong(
    growth: dict[str, Any], tmp_path: Path
) -> None:
    growth["steps"][0]["raw"][0]["apart"] = 0.01
    assert "**wrong**: differs by at most 1e-02" in page_of({"pca": growth}, tmp_path)


def test_a_record_without_growth_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"format": 2, "regimes": []}))
    options = ["--results", str(tmp_path / "results.json"), "--output", str(tmp_path / "page.md")]
    assert main(["report", "--page", "growth", *options]) == 2
    assert "no results of `scaling`, `pca` and `growth`" in capsys.readouterr().err


def test_sizes_are_links_in_the_layout_of_the_collection(tmp_path: Path) -> None:
    for split in ("Training", "Test"):
        (tmp_path / "fruits" / split / "Apple").mkdir(parents=True)
        for at in range(10):
            (tmp_path / "fruits" / split / "Apple" / f"{at}_100.jpg").write_bytes(b"x")
    sizes = make_sizes(tmp_path / "fruits", [10, 50], [1, 3], tmp_path / "links")
    assert [(size.name, size.images) for size in sizes] == [
        ("10 %", 2),
        ("50 %", 10),
        ("1 times", 20),
        ("3 times", 60),
    ]
    for size in sizes:
        links = [path for path in size.folder.rglob("*.jpg") if path.is_symlink()]
        assert len(links) == size.images
        assert {path.parent.relative_to(size.folder).as_posix() for path in links} == {
            "Training/Apple",
            "Test/Apple",
        }
        assert {path.read_bytes() for path in links} == {b"x"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["scaling", "--percentages", "1,0"], "0 is not in the range 0<x<=100"),
        (["scaling", "--percentages", "1,200"], "200 is not in the range 0<x<=100"),
        (["scaling", "--times", "a few"], "not a list of numbers separated by commas"),
        (["scaling", "--model", "sparrow"], "UNKNOWN_MODEL: 'sparrow'. Known: "),
        (["pca", "--rows", "-5"], "-5 is not in the range 0<x"),
    ],
)
def test_wrong_use_is_an_error_before_anything_is_measured(
    options: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--work", str(tmp_path), *options]) == 2
    assert expected in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
