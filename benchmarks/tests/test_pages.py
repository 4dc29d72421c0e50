import json
from pathlib import Path
from typing import Any

import pytest

from harness.checkout import BENCHMARKS, REPOSITORY
from harness.cli import main
from harness.targets import check_targets


def row(name: str, family: str, cpu_ms: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    large = {"images": 20, "counters": more.pop("counters", {})}
    sample = {"cpu_ms": cpu_ms, "wall_ms": cpu_ms / 2, "cpu_ms_by": {"jvm": 1.0, "python": 13.0}}
    pair = sample | {"small": {"images": 10, "counters": {}}, "large": large}
    described = {"name": name, "title": f"The {name}", "family": family, "labels": "exact"}
    measured = {"images": 10, "skipped": None, "warm": [pair, pair], "cold": [], "agreement": None}
    described |= {"documented": "tuned", "precision": "fp32", "decoder": "pillow"}
    return described | measured | more


@pytest.fixture
def record() -> dict[str, Any]:
    exact = {"images": 10, "missing": 0, "same": 1.0, "max_delta": 2e-7, "verdict": "exact"}
    counters = {"images": 20, "decode_cpu_s": 0.02, "infer_cpu_s": 0.1}
    contenders = [
        row("raw-inference", "raw", 10.0),
        row("raw-decode", "raw", 2.0),
        row("spark-parquet", "sightline", 12.6, agreement=exact, counters=counters),
        row("spark-folder", "sightline", 15.0),
        row("pbu-parquet", "peer", 14.0),
        row("pbu-torch", "peer", 80.0, documented="documented"),
        row("ray", "peer", 0.0, skipped="peers.txt could not be installed: no network", warm=[]),
    ]
    heavy: dict[str, Any] = {
        "name": "heavy",
        "title": "Heavy",
        "source": "ten photographs",
        "model": "m",
    }
    heavy |= {"images": 10, "skipped": None, "contenders": contenders}
    step = {"at": 1000, "images": 1000, "wall_s": 9.5, "cpu_s": 12.0, "jvm_mib": 700}
    fitted = {
        "slope": 1.0,
        "intercept": 2.0,
        "r_squared": 0.9991,
        "each": "2.0 s + 1 ms for each x",
    }
    series = {"name": "images", "title": "Images", "steps": [step], "fit": fitted}
    return {
        "format": 1,
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 1200.0,
        "rounds": 2,
        "contenders": "all",
        "machine": {
            "processor": "A chip",
            "cores": 2,
            "memory_gib": 8.0,
            "system": "Linux",
            "gpu": "none",
        },
        "versions": {"python": "3.11.7", "ray": "2.60.0"},
        "commit": "abc+changes",
        "regimes": [heavy, {"name": "light", "skipped": "needs the shared test data"}],
        "memory": [{"model": "m", "batch_rows": 32, "worker_mib": 300, "jvm_mib": 600}],
        "growth": {"series": [series]},
    }


def test_the_page_has_every_figure_and_every_reason(record: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(record))
    arguments = ["--results", str(tmp_path / "results.json"), "--output", str(tmp_path / "p.md")]
    assert main(["report", *arguments, "--chart", str(tmp_path / "p.png")]) == 0
    page = (tmp_path / "p.md").read_text()
    assert "| machine | A chip, 2 cores, 8.0 GiB, Linux, GPU: none |" in page
    assert "abc+changes" in page
    assert (
        "| The spark-parquet | 12.6 (12.6–12.6) | 1.05 | 6.30 | 10 | equal, scores within 2e-07 |"  # noqa: RUF001
        in page
    )
    assert "(`ray`): peers.txt could not be installed: no network" in page
    assert "Not measured: needs the shared test data." in page
    assert "| The pbu-parquet | 1.11 (1.11) | 0.93 (0.93) |" in page
    assert '```mermaid\nxychart-beta horizontal\n  title "heavy' in page
    assert "| m | 32 | 300 | 600 |" in page
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


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
    (tmp_path / "results.json").write_text(json.dumps(record))
    arguments = ["--results", str(tmp_path / "results.json"), "--output", str(tmp_path / "p.md")]
    assert main(["report", *arguments]) == 0
    # 13 ms of Python, of which 10 inferred and 2 decoded.
    assert "| The spark-parquet | 1.00 | 2.00 | 10.0 | 1.00 |" in (tmp_path / "p.md").read_text()


def test_targets_are_compared_with_the_record(record: dict[str, Any]) -> None:
    results = {(one.regime, one.text): one for one in check_targets(record)}
    parquet = results["heavy", "From Parquet ≤ 1.10 × raw"]  # noqa: RUF001
    assert parquet.ratio == pytest.approx(1.05)
    assert parquet.holds
    folder = results["heavy", "From a folder ≤ 1.20 × raw"]  # noqa: RUF001
    assert folder.ratio == pytest.approx(1.25)
    assert folder.holds is False
    cheapest = results["heavy", "From Parquet ≤ 1.05 × the cheapest tuned peer"]  # noqa: RUF001
    assert cheapest.ratio == pytest.approx(0.9)
    assert cheapest.basis == "spark-parquet / pbu-parquet"
    light = results["light", "From Parquet ≤ 1.10 × raw"]  # noqa: RUF001
    assert (light.ratio, light.holds) == (None, None)


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
