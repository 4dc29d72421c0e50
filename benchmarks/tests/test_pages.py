import json
from pathlib import Path
from typing import Any

import pytest

from harness.checkout import BENCHMARKS, REPOSITORY
from harness.cli import main

MACHINE = {
    "processor": "A chip",
    "cores": 2,
    "memory_gib": 8.0,
    "system": "Linux",
    "gpu": "none",
}
SETUP = {
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 600.0,
    "machine": MACHINE,
    "versions": {"python": "3.11.7", "ray": "2.60.0"},
    "commit": "abc+changes",
}


def row(name: str, family: str, cpu_ms: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Two rounds of jobs of 10 and 20 images; a fixed cost of 1 CPU-s, of which the JVM has all."""
    counters = more.pop("counters", {})
    jobs = [
        {
            "round": round_,
            "images": [images],
            "cpu_s": 1.0 + cpu_ms * images / 1000,
            "wall_s": 2.0 + cpu_ms * images / 2000,
            "cpu_by": {"jvm": 1.0 + images / 1000, "python": (cpu_ms - 1) * images / 1000},
            "counters": {key: value * images for key, value in counters.items()},
        }
        for round_ in range(2)
        for images in (10, 20)
    ]
    described = {"name": name, "title": f"The {name}", "family": family, "labels": "exact"}
    described |= {"documented": "tuned", "precision": "fp32", "decoder": "exact"}
    return described | {"skipped": None, "jobs": jobs, "agreement": None} | more


@pytest.fixture
def record() -> dict[str, Any]:
    exact = {"images": 10, "missing": 0, "same": 1.0, "max_delta": 2e-7, "verdict": "exact"}
    counters = {"images": 1, "decode_cpu_s": 0.002, "infer_cpu_s": 0.01}
    contenders = [
        row("raw-inference", "raw", 10.0),
        row("raw-decode", "raw", 2.0),
        row("spark-parquet", "sightline", 12.6, agreement=exact, counters=counters),
        row("spark-folder", "sightline", 15.0),
        row("pbu-parquet", "peer", 14.0),
        row("pbu-torch", "peer", 80.0, documented="documented"),
        row("ray", "peer", 0.0, skipped="peers.txt could not be installed: no network", jobs=[]),
    ]
    heavy = regime("heavy", contenders, [("", 1.0)])
    step = {"at": 1000, "images": 1000, "wall_s": 9.5, "cpu_s": 12.0, "jvm_mib": 700}
    fitted = {
        "slope": 1.0,
        "intercept": 2.0,
        "r_squared": 0.9991,
        "each": "2.0 s + 1 ms for each x",
    }
    series = {"name": "images", "title": "Images", "steps": [step], "fit": fitted}
    start = {"wall_s": 17.0, "cpu_s": 30.0, "peak_mib": 1750.4, "worker_mib": 592.0}
    cold = {"name": "x", "title": "The x", "images": 500, "skipped": None, "samples": [start] * 2}
    memory = {"regime": "camera", "batch_rows": None, "bytes": 1_400_000}
    memory |= {"worker_mib": 300, "jvm_mib": 600}
    return {
        "format": 2,
        "regimes": [heavy, {"name": "light", "skipped": "needs the shared test data"}],
        "cold": SETUP | {"rows": [cold]},
        "memory": SETUP | {"rows": [memory]},
        "growth": {"series": [series]},
    }


def regime(
    name: str, contenders: list[dict[str, Any]], sets: list[tuple[str, float]]
) -> dict[str, Any]:
    described = {"name": name, "title": name.title(), "source": "ten photographs", "model": "m"}
    run = {"jobs": [[10], [20]], "rounds": 2, "more_rounds": 4, "batch_rows": 2, "skipped": None}
    images = [{"title": title, "share": share} for title, share in sets]
    return SETUP | described | run | {"sets": images, "contenders": contenders}


def test_the_page_has_every_figure_and_every_reason(record: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(record))
    arguments = ["--results", str(tmp_path / "results.json"), "--output", str(tmp_path / "p.md")]
    assert main(["report", *arguments, "--chart", str(tmp_path / "p.png")]) == 0
    page = (tmp_path / "p.md").read_text()
    assert "| machine | A chip, 2 cores, 8.0 GiB, Linux, GPU: none |" in page
    assert "| commit | abc+changes |" in page
    assert "| duration | 30 minutes |" in page
    # 500 images: 1 s + 6.3 s.
    cells = "12.6 (12.6–12.6) | 1.05 | 6.30 | 7.30 (7.30–7.30) | equal, scores within 2e-07"  # noqa: RUF001
    assert f"| The spark-parquet | {cells} |" in page
    assert "| **Raw: decoding + inference** | **12.0 (12.0–12.0)** | 1.00 |  |  |  |" in page  # noqa: RUF001
    assert "(`ray`): peers.txt could not be installed: no network" in page
    assert "Not measured: needs the shared test data." in page
    assert "| The pbu-parquet | 1.11 (1.11) | 0.93 (0.93) |" in page
    assert '```mermaid\nxychart-beta horizontal\n  title "heavy' in page
    assert "| The x | 500 | 17.0 (17.0–17.0) | 30.0 (30.0–30.0) | 1750 | 592 |" in page  # noqa: RUF001
    assert "| camera | 1400 | default | 300 | 600 |" in page
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_large_tables_are_behind_a_fold(record: dict[str, Any], tmp_path: Path) -> None:
    page = page_of(record, tmp_path)
    section = page[page.index("## Heavy") : page.index("## light")]
    table, folded = section.split("<details>")
    assert "The spark-folder" in table
    assert "The raw-inference" not in table
    assert "<summary>All 6 contenders, ratios and a chart</summary>" in folded
    assert "The raw-inference" in folded
    assert folded.rstrip().endswith("</details>")


def test_camera_has_a_column_for_each_kind_of_jpeg(record: dict[str, Any], tmp_path: Path) -> None:
    # 20 ms a baseline JPEG, 60 ms a progressive one, 3 : 1.
    folder = row("spark-folder", "sightline", 0.0)
    folder["jobs"] = [
        {
            "round": round_,
            "images": [baseline, progressive],
            "cpu_s": 1.0 + 0.02 * baseline + 0.06 * progressive,
            "wall_s": 1.0 + 0.01 * baseline + 0.03 * progressive,
        }
        for round_ in range(2)
        for baseline, progressive in ((9, 3), (90, 3), (9, 30))
    ]
    sets = [("baseline", 0.75), ("progressive", 0.25)]
    page = page_of(record | {"regimes": [regime("camera", [folder], sets)]}, tmp_path)
    assert "|  | CPU-ms per image | baseline | progressive |" in page
    mixed, baseline, progressive = "30.0 (30.0–30.0)", "20.0 (20.0–20.0)", "60.0 (60.0–60.0)"  # noqa: RUF001
    assert f"| The spark-folder | {mixed} | {baseline} | {progressive} |" in page


def test_resnet50_has_the_cost_of_everything_but_the_model_beside_published_ones(
    record: dict[str, Any], tmp_path: Path
) -> None:
    contenders = [
        row("raw-inference", "raw", 70.0),
        row("raw-decode", "raw", 2.0),
        row("spark-folder", "sightline", 73.5),
    ]
    measured = regime("resnet50", contenders, [("", 1.0)])
    page = page_of(record | {"regimes": [measured]}, tmp_path)
    assert "| The spark-folder | 73.5 (73.5–73.5) | 3.50 (3.50–3.50) | 1.02 |" in page  # noqa: RUF001
    assert "| The spark-folder | 3.50 (3.50–3.50) | | measured here |" in page  # noqa: RUF001
    assert "| Daft | 10.5–62.0 | 3,055 with 32 vCPUs to 4,115 with 256 | Daft's" in page  # noqa: RUF001
    assert "| Spark on EMR | 108 | 297 with 32 vCPUs | Daft's benchmark repository;" in page


def test_the_page_of_growth_has_the_steps_and_the_fit(
    record: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_text(json.dumps(record))
    arguments = ["--results", str(tmp_path / "results.json"), "--output", str(tmp_path / "g.md")]
    assert main(["report", "--page", "growth", *arguments]) == 0
    page = (tmp_path / "g.md").read_text()
    assert "| 1,000 | 9.5 | 12.0 | 700 |" in page
    assert "2.0 s + 1 ms for each x, R² 0.9991." in page


def test_the_time_by_stage_comes_from_the_engines_counters(
    record: dict[str, Any], tmp_path: Path
) -> None:
    # 1 ms of the JVM, and 11.6 ms of Python, of which 10 inferred and 2 decoded.
    assert "| The spark-parquet | 1.00 | 2.00 | 10.0 | -0.40 |" in page_of(record, tmp_path)


def page_of(record: dict[str, Any], folder: Path) -> str:
    (folder / "results.json").write_text(json.dumps(record))
    arguments = ["--results", str(folder / "results.json"), "--output", str(folder / "p.md")]
    assert main(["report", *arguments]) == 0
    return (folder / "p.md").read_text()


def test_a_file_that_is_no_record_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text("{}")
    for name in ("results.json", "nowhere.json"):
        assert main(["report", "--results", str(tmp_path / name)]) == 2
        assert "NO_RESULTS" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["performance", "growth"])
def test_the_page_in_docs_is_that_of_the_committed_record(name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    record = BENCHMARKS / "results.json"
    assert main(["report", "--page", name, "--results", str(record), "--output", str(page)]) == 0
    written = (REPOSITORY / f"docs/{name}.md").read_text("utf-8")
    command = f"benchmarks/run.py report --page {name} --results {record} --output docs/{name}.md"
    assert written == page.read_text("utf-8"), f"run: {command}"
