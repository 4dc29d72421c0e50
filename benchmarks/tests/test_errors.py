"""Errors that no other test of the benchmark triggers, and the independence from Sightline."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import checkout, programs
from harness.benchmark import require_labels
from harness.checkout import require_jar
from harness.errors import BenchError
from harness.growth import require_inodes
from harness.record import read_record

Trigger = Callable[[Path], object]


def wrong_labels() -> dict[str, Any]:
    agreement = {"verdict": "wrong", "same": 0.5, "max_delta": 0.2}
    row = {"name": "other", "agreement": agreement}
    return {"regimes": [{"name": "heavy", "contenders": [row]}]}


TRIGGERS: dict[str, Trigger] = {
    "BENCH_SETUP": lambda folder: require_inodes(folder, 10**15),
    "NO_JAR": lambda folder: require_jar(folder / "sightline.jar"),
    "NO_RESULTS": lambda folder: read_record(folder / "results.json"),
    "WRONG_LABELS": lambda _: require_labels(wrong_labels()),
}


@pytest.mark.parametrize("condition", TRIGGERS)
def test_an_error_has_its_condition(condition: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=f"^{condition}: "):
        TRIGGERS[condition](tmp_path)


def test_a_missing_jar_is_an_absent_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "JAR", tmp_path / "sightline.jar")
    with pytest.raises(BenchError, match=r"BENCH_PROGRAM_ABSENT: .*is missing"):
        programs.find_program("sightline", tmp_path, tmp_path, tmp_path, 32)


def test_the_harness_imports_nothing_of_sightline() -> None:
    imported = set()
    for file in (checkout.BENCHMARKS / "harness").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert "harness.errors" in imported
    assert [name for name in sorted(imported) if name.partition(".")[0] == "sightline"] == []
